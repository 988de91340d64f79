"""What is read from kind's source and from a node."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster import loading
from tests.cluster.archives import Image
from tests.cluster.node import rootfs

SOURCE = """\
package nodeimage

const storageImage = "docker.io/kindest/provisioner:v1"
const storageHelperImage = "docker.io/kindest/helper:v2"

const defaultStorageManifest = `
kind: Deployment
image: ` + storageImage + `
args: [` + storageHelperImage + `]
`
"""

LISTING = """\
REF                    TYPE         DIGEST     SIZE      PLATFORMS   LABELS
r.dev/a:1              application  sha256:m1  10.0 MiB  linux/amd64 -
sha256:c1              application  sha256:m1  10.0 MiB  linux/amd64 io.cri-containerd.image=managed
r.dev/half-imported:1  application  sha256:m2  10.0 MiB  linux/amd64 -
"""


def test_a_manifest_is_read_from_kinds_source_with_its_images() -> None:
    manifest = yaml.safe_load(rootfs.manifest(SOURCE))
    assert manifest == {
        "kind": "Deployment",
        "image": "docker.io/kindest/provisioner:v1",
        "args": ["docker.io/kindest/helper:v2"],
    }


def test_a_changed_layout_of_kinds_source_is_an_error() -> None:
    with pytest.raises(ValueError, match="layout has changed"):
        rootfs.manifest("package nodeimage\n")


def test_the_images_of_kinds_manifests_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "const_storage.go").write_text(SOURCE)
    (tmp_path / "const_cni.go").write_text('const kindnetdImage = "docker.io/kindest/kindnetd:v3"\n')
    assert rootfs.images_of(tmp_path) == {
        "kindnetd": "docker.io/kindest/kindnetd:v3",
        "provisioner": "docker.io/kindest/provisioner:v1",
        "helper": "docker.io/kindest/helper:v2",
    }


def test_an_image_is_present_once_kubernetes_knows_it() -> None:
    assert loading.parse_images(LISTING) == {Image("r.dev/a:1", "sha256:c1")}
