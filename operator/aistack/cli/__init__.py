"""The command line: what a person or a script does with stacks and the catalog.

Promises: a command imports only what it needs (``render``, ``catalog``, ``images`` and ``crd`` neither the engine nor
kopf nor kubernetes); results go to standard output and everything else to standard error; failures are one line that
says what to do, and the exit code says which kind it was (:mod:`~aistack.cli.exits`).
Never: does the operator's work (it writes AIStack objects and nothing they stand for), shows a secret value unless
``open`` was asked to.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path


def main() -> None:
    """Run the command line as ``aistack``, or as kubectl's plugin ``kubectl aistack``, and exit."""
    # Imports make a hundred thousand objects that last; looking through them again and again only costs time.
    gc.disable()
    from aistack.cli.app import run

    plugin = Path(sys.argv[0]).name.startswith("kubectl-")
    sys.exit(run(sys.argv[1:], "kubectl aistack" if plugin else "aistack"))
