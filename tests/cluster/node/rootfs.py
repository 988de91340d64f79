"""The node's root file system: a minimal Debian with kind's own files, the kubelet and the CNI plugins."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from tests.cluster import versions
from tests.cluster.build.binaries import CNI_PLUGINS
from tests.cluster.common import debian, store
from tests.cluster.common.paths import arch
from tests.cluster.common.shell import run

_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "libnss-myhostname", "kmod", "mount", "util-linux", "procps", "e2fsprogs"),
    *("conntrack", "iptables", "nftables", "iproute2", "ethtool"),
    *("containerd", "runc", "libseccomp2", "pigz"),
    *("bash", "ca-certificates", "curl", "jq"),
)
_WANTS_NOTHING = (
    "lib/systemd/system/multi-user.target.wants/*",
    "etc/systemd/system/*.wants/*",
    "lib/systemd/system/local-fs.target.wants/*",
    "lib/systemd/system/sockets.target.wants/*udev*",
    "lib/systemd/system/sockets.target.wants/*initctl*",
    "lib/systemd/system/basic.target.wants/*",
    "lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
)
"""Units that a container must not start, as in kind's own image."""
_USELESS = ("usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "usr/share/info/*", "var/cache/apt/*")


def base_key() -> str:
    """The hash of what the bare Debian is asked to be; its packages' versions are those of the day it was built."""
    return store.key_of(versions.DEBIAN, arch(), *_PACKAGES)


def build_base(target: Path) -> None:
    """Bootstrap the bare Debian into `target/debian.tar`."""
    debian.bootstrap(target / "debian.tar", _PACKAGES)


def assemble(root: Path, base: Path, programs: Path, kind_source: Path) -> None:
    """Fill an empty directory with the node's root file system.

    Args:
        root: the directory.
        base: what `build_base` made.
        programs: the compiled programs.
        kind_source: kind's module in Go's module cache.
    """
    run(["tar", "-C", root, "-xf", base / "debian.tar", "--exclude=./dev/*"], timeout=300)
    _remove(root, (*_WANTS_NOTHING, *_USELESS))
    _copy_kind_files(root, kind_source / "images" / "base" / "files")
    _configure_containerd(root)
    _enable_services(root)
    _add_kubernetes(root, programs)
    _add_manifests(root, kind_source / "pkg" / "build" / "nodeimage")


def _remove(root: Path, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _copy_kind_files(root: Path, files: Path) -> None:
    """Copy kind's units, scripts and settings; the module cache is read-only, hence the modes."""
    for source in (path for path in files.rglob("*") if path.is_file()):
        relative = source.relative_to(files)
        target = root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if "bin" in relative.parts else 0o644)


def _configure_containerd(root: Path) -> None:
    """Point kind's containerd settings at what is installed here, and allow for a host that withholds privileges."""
    for program in ("containerd", "ctr", "containerd-shim-runc-v2"):
        (root / "usr/local/bin" / program).symlink_to(f"/usr/bin/{program}")
    config = root / "etc/containerd/config.toml"
    text = config.read_text().replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true")
    config.write_text(re.sub(r"pause:[\d.]+", f"pause:{versions.PAUSE}", text))
    spec = json.loads(run(["chroot", root, "ctr", "oci", "spec"]))
    spec.setdefault("hooks", {}).setdefault("createContainer", []).append({"path": "/kind/bin/mount-product-files.sh"})
    spec["process"].pop("rlimits", None)
    for kind, names in spec["process"]["capabilities"].items():
        spec["process"]["capabilities"][kind] = [name for name in names if name != "CAP_SYS_RESOURCE"]
    (root / "etc/containerd/cri-base.json").write_text(json.dumps(spec))


def _enable_services(root: Path) -> None:
    wanted = root / "etc/systemd/system/multi-user.target.wants"
    wanted.mkdir(parents=True, exist_ok=True)
    run(["chroot", root, "systemctl", "enable", "kubelet", "containerd", "undo-mount-hacks"])
    run(["chroot", root, "systemctl", "mask", "systemd-binfmt"])  # it would register with the host's kernel
    with (root / "etc/systemd/journald.conf").open("a") as journal:
        journal.write("ReadKMsg=no\n")


def _add_kubernetes(root: Path, programs: Path) -> None:
    for program in ("kubelet", "kubeadm", "kubectl"):
        shutil.copy2(programs / program, root / "usr/bin" / program)
    for directory in ("opt/cni/bin", "etc/cni/net.d", "etc/kubernetes/manifests", "kind/manifests", "lib/modules"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    _remove(root, ("etc/cni/net.d/*",))
    for plugin in CNI_PLUGINS:
        shutil.copy2(programs / plugin, root / "opt/cni/bin" / plugin)
    (root / "kind/version").write_text(versions.KUBERNETES)


def _add_manifests(root: Path, sources: Path) -> None:
    """Take the pod network's and the volume provisioner's manifests, with the images they name, from kind's source."""
    for source, target in (("const_cni.go", "default-cni.yaml"), ("const_storage.go", "default-storage.yaml")):
        (root / "kind/manifests" / target).write_text(manifest((sources / source).read_text()))


def images_of(sources: Path) -> dict[str, str]:
    """The images that kind's manifests name, by the last part of their repository."""
    text = "".join((sources / name).read_text() for name in ("const_cni.go", "const_storage.go"))
    found = re.findall(r'^const \w+Image = "([^"]+)"', text, re.MULTILINE)
    return {image.rpartition("/")[2].partition(":")[0]: image for image in found}


def manifest(source: str) -> str:
    """The manifest in a Go file of kind: a raw string constant, joined with constants that name images."""
    constants = dict(re.findall(r'^const (\w+) = "([^"]+)"', source, re.MULTILINE))
    body = re.search(r"^const default\w+Manifest = `\n(.*?)\n`$", source, re.MULTILINE | re.DOTALL)
    if body is None:
        raise ValueError("no manifest in kind's source: its layout has changed")
    return re.sub(r"` \+ (\w+) \+ `", lambda match: constants[match[1]], body[1]) + "\n"
