"""What is known of a kind cluster, and the configuration that kind makes it from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster import versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class State:
    """What has to be known of a cluster once the command that made it is over.

    Attributes:
        nodes: how many nodes it has.
        port: the API server's port on loopback.
        image: the node image.
        given: whether it runs on the machine's own Docker daemon.
        made: whether it was ready once; what an interrupted command left is not brought back but made anew.
    """

    nodes: int
    port: int
    image: str
    given: bool
    made: bool = True


def node_names(cluster: str, count: int) -> list[str]:
    """The names that kind gives to a cluster's nodes."""
    workers = [f"{cluster}-worker{number if number > 1 else ''}" for number in range(1, count)]
    return [f"{cluster}-control-plane", *workers]


def cluster_config(state: State, mounts: Sequence[Mapping[Path, str]]) -> dict[str, Any]:
    """kind's configuration of a cluster.

    Args:
        state: its size, port and kind of host.
        mounts: for each node, directories of this machine by their place in the node.
    """
    nodes = [
        {
            "role": "worker" if number else "control-plane",
            "extraMounts": [{"hostPath": str(here), "containerPath": there} for here, there in places.items()],
        }
        for number, places in enumerate(mounts)
    ]
    config: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"apiServerAddress": "127.0.0.1", "apiServerPort": state.port},
        "nodes": nodes,
    }
    if not state.given:
        dns = {"kind": "ClusterConfiguration", "dns": {"imageTag": versions.COREDNS}}
        config["kubeadmConfigPatches"] = [yaml.safe_dump(dns)]
    return config
