"""kind's configuration, and what the command line says without a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cluster import cli, versions
from tests.cluster.kindconfig import State, cluster_config, node_names


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("count", "names"),
    [(1, ["x-control-plane"]), (3, ["x-control-plane", "x-worker", "x-worker2"])],
)
def test_nodes_are_named_as_kind_does(count: int, names: list[str]) -> None:
    assert node_names("x", count) == names


def test_an_own_node_mounts_its_images_and_names_its_coredns() -> None:
    state = State(nodes=2, port=6443, image="i", given=False)
    config = cluster_config(state, [{Path("/here/0"): "/var/lib/containerd"}, {Path("/here/1"): "/var/lib/containerd"}])
    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker"]
    assert config["nodes"][1]["extraMounts"] == [{"hostPath": "/here/1", "containerPath": "/var/lib/containerd"}]
    assert config["networking"] == {"apiServerAddress": "127.0.0.1", "apiServerPort": 6443}
    (patch,) = config["kubeadmConfigPatches"]
    assert yaml.safe_load(patch)["dns"] == {"imageTag": versions.COREDNS}


def test_a_given_daemons_node_brings_its_own_coredns() -> None:
    config = cluster_config(State(nodes=1, port=6443, image="i", given=True), [{}])
    assert "kubeadmConfigPatches" not in config
    assert config["nodes"] == [{"role": "control-plane", "extraMounts": []}]


@pytest.mark.parametrize("level", ["kind", "control-plane"])
def test_status_without_a_cluster_says_so_in_both_formats(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([level, "status"]) == 3
    assert "healthy:     no" in capsys.readouterr().out
    assert cli.main([level, "status", "--output", "json"]) == 3
    assert json.loads(capsys.readouterr().out)["healthy"] is False


def test_loading_without_a_cluster_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.tar").touch()
    assert cli.main(["kind", "load", str(tmp_path)]) == 1
    assert "error: no cluster is up: run `python -m tests.cluster kind up`" in capsys.readouterr().err
