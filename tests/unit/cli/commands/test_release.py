"""``aistack release``: made, shown, compared; what needs a cluster is tried in tests/integration."""

from __future__ import annotations

import json
from pathlib import Path

from aistack.cli.exits import ExitCode
from tests.registry import fake_registry_beside
from tests.toy import toy, toy_copy
from tests.unit.cli.lab import Cli


def test_a_release_is_shown_and_is_data_too(cli: Cli) -> None:
    shown = cli("release", "build", "--date", "2026-11-28")
    assert shown.code == ExitCode.OK, shown.err
    assert f"of 2026-11-28, catalog {toy().digest}" in shown.out
    assert "registry.aistack.dev/db:2.0-1" in shown.out
    told = json.loads(cli("release", "build", "--name", "1.0", "-o", "json").out)
    assert (told["name"], told["catalog"]) == ("1.0", toy().digest)
    assert told["components"].keys() == toy().components.keys()


def test_a_release_is_pushed_and_compared_with_what_is_here(cli: Cli, tmp_path: Path) -> None:
    root = toy_copy(tmp_path)
    file = root / "components" / "db" / "component.yaml"
    file.write_text(file.read_text().replace('versions: ["2", "1"]', 'versions: ["3", "2"]'))
    with fake_registry_beside() as registry:
        pushed = cli("release", "build", registry.reference("release:1.0"), "--name", "1.0", "--date", "2026-11-28")
        pinned = pushed.out.splitlines()[-1]
        assert pinned.startswith(f"{registry.reference('release:1.0')}@sha256:")
        again = cli("release", "build", registry.reference("release:1.0"), "--name", "1.0", "--date", "2026-11-28")
        assert again.out.splitlines()[-1] == pinned, "the same release has the same digest"

        same = cli("release", "diff", pinned)
        assert (same.code, same.out) == (ExitCode.OK, "")
        other = cli("release", "diff", pinned, str(root))
        assert (other.code, other.out) == (ExitCode.CHANGES, "components/db: version 2 -> 3\n")
        assert json.loads(cli("release", "diff", pinned, str(root), "-o", "json").out) == {
            "components/db": "version 2 -> 3"
        }


def test_digests_of_images_are_asked_of_a_registry(cli: Cli) -> None:
    with fake_registry_beside() as registry:
        registry.manifests["2.0-1"] = b"{}"
        built = cli("release", "build", "--registry", registry.host, "-o", "json")
        assert built.code == ExitCode.OK, built.err
    images = json.loads(built.out)["components"]["db"]["images"]
    assert images["server"]["digest"].startswith("sha256:44136fa355b3678a")
