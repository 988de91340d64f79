"""Which API server a control plane runs."""

from __future__ import annotations

import pytest

from tests import matrix
from tests.cluster import versions
from tests.cluster.build import servers
from tests.cluster.common.errors import ClusterError


def test_the_default_is_the_one_that_kind_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(servers.VARIABLE, raising=False)
    assert servers.wanted() == versions.KUBERNETES


def test_the_environment_chooses_by_minor_version(monkeypatch: pytest.MonkeyPatch) -> None:
    for minor, version in servers.available().items():
        monkeypatch.setenv(servers.VARIABLE, minor)
        assert servers.wanted() == version
        assert version.startswith(f"v{minor}.")


def test_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(servers.VARIABLE, "1.2")
    with pytest.raises(ClusterError, match=r"AISTACK_TEST_KUBERNETES=1\.2: there are 1\.34, "):
        servers.wanted()


def test_each_has_programs_of_its_own() -> None:
    folders = [servers.directory(version) for version in servers.available().values()]
    assert len(set(folders)) == len(folders) > 1


def test_the_matrix_refuses_what_it_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main(["1.34", "1.2"]) == 2
    assert "no such version: 1.2; there are 1.34, " in capsys.readouterr().err
