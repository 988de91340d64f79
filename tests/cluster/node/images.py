"""The images that a kind node starts with, each a program with no more around it than it needs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import archives, versions
from tests.cluster.archives import Link
from tests.cluster.common.paths import multiarch
from tests.cluster.common.shell import run

Layer = dict[str, Path | Link | None]

_LIBM = "/lib/{multiarch}/libm.so.6"
"""Needed by iptables' statistic match, opened only when a Service has two endpoints."""
_MERGED = ("bin", "lib", "lib64", "sbin")


def write_all(target: Path, root: Path, programs: Path, kindnetd: Path, kind_images: Mapping[str, str]) -> None:
    """Write one docker-archive per image into a directory.

    Args:
        target: the directory.
        root: the node's root file system, which the images' shared libraries and small tools are taken from.
        programs: the compiled programs.
        kindnetd: the script that does a node's pod networking.
        kind_images: the references that kind's manifests use, see `rootfs.images_of`.
    """
    target.mkdir()
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        _write(target, f"registry.k8s.io/{name}:{versions.KUBERNETES}", _program(programs, name))
    _write(target, f"registry.k8s.io/etcd:{versions.ETCD}", _program(programs, "etcd"))
    proxy = _program(programs, "kube-proxy") | _iptables(root)
    _write(target, f"registry.k8s.io/kube-proxy:{versions.KUBERNETES}", proxy)
    coredns: Layer = {"coredns": programs / "coredns", "etc": None}
    _write(
        target, f"registry.k8s.io/coredns/coredns:{versions.COREDNS}", coredns, Entrypoint=["/coredns"], WorkingDir="/"
    )
    pause: Layer = {"pause": programs / "pause"}
    _write(target, f"registry.k8s.io/pause:{versions.PAUSE}", pause, Entrypoint=["/pause"], User="65535:65535")
    _write_kind_images(target, root, programs, kindnetd, kind_images)


def _write_kind_images(
    target: Path, root: Path, programs: Path, kindnetd: Path, kind_images: Mapping[str, str]
) -> None:
    provisioner = _program(programs, "local-path-provisioner")
    _write(target, kind_images["local-path-provisioner"], provisioner)
    _write(target, kind_images["local-path-helper"], _tools(root, "dash", "mkdir", "rm"))
    network = _program(programs, "kubectl") | _tools(root, "dash", "cat", "grep", "mv", "sleep", "ip") | _iptables(root)
    _write(target, kind_images["kindnetd"], network | {"kindnetd": kindnetd}, Entrypoint=["/kindnetd"])


def _write(target: Path, name: str, layer: Layer, **config: object) -> None:
    file = name.rpartition("/")[2].partition(":")[0]
    archives.write(target / f"{file}.tar", name, {"tmp": None, **layer}, config)


def _program(programs: Path, name: str) -> Layer:
    return {f"usr/local/bin/{name}": programs / name}


def _tools(root: Path, *names: str) -> Layer:
    """Debian's small tools with their libraries; `dash` is also `sh`."""
    layer = _with_libraries(root, [f"/usr/bin/{name}" for name in names])
    return layer | {"usr/bin/sh": Link("dash")} if "dash" in names else layer


def _iptables(root: Path) -> Layer:
    """iptables on nftables, with its extensions and what those open."""
    extensions = Path("usr/lib") / multiarch() / "xtables"
    layer = _with_libraries(root, ["/usr/sbin/xtables-nft-multi", _LIBM.format(multiarch=multiarch())])
    layer |= {str(extensions / path.name): path for path in (root / extensions).iterdir()}
    names = (f"usr/sbin/{family}{what}" for family in ("iptables", "ip6tables") for what in ("", "-save", "-restore"))
    return layer | {"run": None} | {name: Link("xtables-nft-multi") for name in names}


def _with_libraries(root: Path, programs: list[str]) -> Layer:
    """Programs and the libraries they load, each under every name it is looked up by, in Debian's merged /usr."""
    # One shell in the chroot: ldd and readlink must see the node's files, not the host's.
    script = (
        "for p in {0}; do echo $p; ldd $p 2>/dev/null; done | grep -o '/[^ ]*' | sort -u | while read f; do {1}; done"
    )
    lines = run(["chroot", root, "sh", "-c", script.format(shlex.join(programs), "echo $f $(readlink -f $f)")])
    layer: Layer = {name: Link(f"usr/{name}") for name in _MERGED}
    for name, real in (line.split() for line in lines.splitlines()):
        layer[_merged(real)] = root / _merged(real)
        if _merged(name) != _merged(real):
            layer[_merged(name)] = Link("/" + _merged(real))
    return layer


def _merged(path: str) -> str:
    """A path without its leading slash and through the links of a merged /usr."""
    relative = path.lstrip("/")
    return f"usr/{relative}" if relative.partition("/")[0] in _MERGED else relative
