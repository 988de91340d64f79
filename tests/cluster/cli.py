"""The command line: `python -m tests.cluster {control-plane|kind} {up|down|status}`, from the repository's root."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import archives
from tests.cluster.build import servers
from tests.cluster.common import paths, store
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.progress import Progress
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 well, 1 an error, 3 from `status` when nothing healthy runs."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ClusterError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the command again to go on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster", description="A real Kubernetes, for tests and demo"
    )
    levels = parser.add_subparsers(required=True, metavar="LEVEL")
    bare = levels.add_parser("control-plane", help="etcd, kube-apiserver and kube-controller-manager, no nodes")
    _control_plane_verbs(bare.add_subparsers(required=True, metavar="VERB"))
    nodes = levels.add_parser("kind", help="nodes that run pods, with Services, DNS and volumes")
    _kind_verbs(nodes.add_subparsers(required=True, metavar="VERB"))
    return parser


def _verb(verbs: Verbs, name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    if name == "status":
        parser.add_argument("-o", "--output", choices=["text", "json"], default="text")
    return parser


def _control_plane_verbs(verbs: Verbs) -> None:
    _verb(
        verbs,
        "build",
        _control_plane_build,
        "compile its programs unless they are there; print the folder of the servers",
    )
    _verb(verbs, "up", _control_plane_up, "start it unless it runs; print its kubeconfig's path")
    _verb(verbs, "down", _control_plane_down, "end it and remove its data")
    _verb(verbs, "status", _control_plane_status, "what runs")


def _kind_verbs(verbs: Verbs) -> None:
    up = _verb(verbs, "up", _kind_up, "make, reuse or revive the cluster; print its kubeconfig's path")
    up.add_argument("--nodes", type=int, choices=range(1, 6), help="default: as many as there are, else 1")
    up.add_argument(
        "--preload", type=Path, nargs="+", default=[], metavar="PATH", help="image archives or their folders"
    )
    down = _verb(verbs, "down", _kind_down, "remove the cluster and what it ran on; caches stay")
    down.add_argument("--purge", action="store_true", help="remove the private daemon's cached data too")
    _verb(verbs, "status", _kind_status, "what runs")
    load = _verb(verbs, "load", _kind_load, "put image archives onto all nodes, skipping what is there")
    load.add_argument("archives", type=Path, nargs="+", metavar="PATH", help="image archives or their folders")


def _control_plane() -> ControlPlane:
    return ControlPlane(paths.run_dir("control-plane"), tied=False)


def _control_plane_build(_: argparse.Namespace) -> int:
    print(servers.ensure(servers.wanted(), Progress(total=2)))
    return 0


def _control_plane_up(_: argparse.Namespace) -> int:
    with store.lock("control-plane"):
        plane = _control_plane()
        if not plane.healthy:
            plane.stop()
            plane.start()
    print(plane.kubeconfig)
    return 0


def _control_plane_down(_: argparse.Namespace) -> int:
    with store.lock("control-plane"):
        _control_plane().stop()
    return 0


def _control_plane_status(options: argparse.Namespace) -> int:
    plane = _control_plane()
    healthy = plane.healthy
    kubeconfig = plane.kubeconfig if healthy else None
    return _print_status({"healthy": healthy, "kubeconfig": kubeconfig, "processes": plane.pids}, options)


def _kind_up(options: argparse.Namespace) -> int:
    print(Kind().up(options.nodes, archives.find(options.preload)))
    return 0


def _kind_down(options: argparse.Namespace) -> int:
    Kind().down(purge=options.purge)
    return 0


def _kind_status(options: argparse.Namespace) -> int:
    return _print_status(Kind().status(), options)


def _kind_load(options: argparse.Namespace) -> int:
    loaded = Kind().load_images(archives.find(options.archives))
    for image in loaded:
        print(image.name)
    return 0


def _print_status(facts: Mapping[str, object], options: argparse.Namespace) -> int:
    if options.output == "json":
        print(json.dumps(facts, default=str))
    else:
        for name, value in facts.items():
            print(f"{name + ':':<12} {_plain(value)}")
    return 0 if facts["healthy"] else 3


def _plain(value: object) -> str:
    """A fact in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {fact}" for name, fact in value.items()) or "-"
    return str(value) if value else "-"
