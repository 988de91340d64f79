"""``python -m tests.cluster.build.pin v1.37.2``: writes the Go module that an API server is compiled from.

k8s.io/kubernetes pins its staging modules to v0.0.0; the replace block gives the published ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.cluster.build import servers
from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common.shell import run

_TOOLS = "//go:build tools\n\npackage apiservers\n\n"


def pin(version: str) -> Path:
    """Write go.mod and go.sum of a version and return their folder; one of the same minor version is replaced.

    Raises:
        ClusterError: the module proxy doesn't serve it.
    """
    folder = servers.MODULES / f"v{servers.minor_of(version)}"
    folder.mkdir(exist_ok=True, parents=True)
    env, go = {**ENV, "GOFLAGS": ""}, find_go()
    told = json.loads(run([go, "mod", "download", "-json", f"k8s.io/kubernetes@{version}"], env=env, cwd=folder))
    (folder / "go.mod").write_text(_module(version, Path(told["GoMod"]).read_text()))
    (folder / "go.sum").unlink(missing_ok=True)
    tools = folder / "tools.go"  # for `go mod tidy` alone: `go build` is given the packages
    imports = "".join(f'import _ "k8s.io/kubernetes/cmd/{name}"\n' for name in servers.PROGRAMS)
    tools.write_text(_TOOLS + imports)
    try:
        run([go, "mod", "tidy"], env=env, cwd=folder, timeout=600)
    finally:
        tools.unlink()
    return folder


def _module(version: str, original: str) -> str:
    staging = [line.split()[0] for line in original.splitlines() if "=> ./staging/" in line]
    published = version.replace("v1.", "v0.", 1)
    replaced = "".join(f"\t{name} => {name} {published}\n" for name in staging)
    head = f"// Made by: python -m tests.cluster.build.pin {version}\n"
    head += f"module aistack.dev/tests/cluster/apiservers/v{servers.minor_of(version)}\n\ngo 1.26\n"
    return f"{head}\nreplace (\n{replaced})\n\nrequire k8s.io/kubernetes {version}\n"


if __name__ == "__main__":
    print(pin(sys.argv[1]))
