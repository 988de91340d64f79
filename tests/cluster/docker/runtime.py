"""The container runtime for hosts that withhold CAP_SYS_RESOURCE.

Docker asks runc to give containers that capability and to lower their out-of-memory score; both fail where the
capability is not even in the bounding set. There the daemon's runtime is a small program which takes the two wishes out
of what Docker asks for, then becomes runc.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.cluster.common.debian import which
from tests.cluster.common.errors import ClusterError

_CAP_SYS_RESOURCE = 24

_WRAPPER = """\
#!{python} -IS
import json, os, sys

def strip(process):
    for kind, names in (process.get("capabilities") or {{}}).items():
        process["capabilities"][kind] = [name for name in names if name != "CAP_SYS_RESOURCE"]
    if process.get("oomScoreAdj", 0) < 0:
        process["oomScoreAdj"] = 0

def rewrite(path, select):
    if os.path.isfile(path):
        with open(path) as source:
            document = json.load(source)
        strip(select(document))
        with open(path, "w") as target:
            json.dump(document, target)

words = sys.argv[1:]
for index, word in enumerate(words):
    name, equals, value = word.partition("=")
    value = value if equals else "".join(words[index + 1:index + 2])
    if name in ("--bundle", "-b"):
        rewrite(os.path.join(value, "config.json"), lambda document: document["process"])
    elif name in ("--process", "-p"):
        rewrite(value, lambda document: document)
os.execv({runc!r}, [{runc!r}, *words])
"""


def needs_wrapper(status: str | None = None) -> bool:
    """Whether this host withholds CAP_SYS_RESOURCE even from root.

    Args:
        status: the text of /proc/self/status; read from there by default.
    """
    text = Path("/proc/self/status").read_text() if status is None else status
    bounding = re.search(r"^CapBnd:\s*([0-9a-f]+)$", text, re.MULTILINE)
    return bounding is not None and not int(bounding[1], 16) >> _CAP_SYS_RESOURCE & 1


def write_wrapper(target: Path) -> Path:
    """Write the program that stands in for runc."""
    runc = which("runc")
    if runc is None:
        raise ClusterError("runc is not installed")
    # Nodes need it for as long as they live: not the interpreter of a checkout that may go.
    python = Path(sys.executable).resolve()
    target.write_text(_WRAPPER.format(python=python, runc=runc))
    target.chmod(0o755)
    return target
