"""The operator, but killed by SIGKILL at its n-th write of a kind: ``python -m tests.e2e.killable Job 2 before ...``.

It is the real program with one hook on its client; the kill falls ``before`` the request is sent, or ``after`` its
answer came and before anything was done with it. ``any`` counts all kinds; what follows are the program's own options.
"""

from __future__ import annotations

import os
import signal
import sys

import typer

from aistack.cluster.transport import Call
from aistack.controller import __main__ as controller
from aistack.controller.operator import Operator

WRITES = frozenset({"create", "apply", "patch", "update", "delete"})


class Killer:
    """Counts writes and ends the process."""

    def __init__(self, kind: str, at: int, moment: str) -> None:
        self.kind = kind
        self.left = at
        self.sent = moment == "before"

    def __call__(self, call: Call) -> None:
        """Take note of a request (status 0) or of its answer."""
        if call.verb in WRITES and self.kind in ("any", call.kind) and (call.status == 0) is self.sent:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Arm the operator and run it."""
    kind, at, moment, *options = sys.argv[1:]
    start = Operator.start

    async def armed_start(self: Operator) -> None:
        self.client.hooks.append(Killer(kind, int(at), moment))
        await start(self)

    Operator.start = armed_start  # type: ignore[method-assign] # the one change to the real program
    sys.argv[1:] = options
    typer.run(controller.main)


if __name__ == "__main__":
    main()
