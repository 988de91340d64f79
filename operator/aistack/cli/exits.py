"""Exit codes: what a script may rely on."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    """Done; for ``plan``: nothing would change."""
    ERROR = 1
    """Wrong usage, refused input, or a request that failed."""
    CHANGES = 2
    """``plan`` found changes."""
    NOT_READY = 3
    """Waited in vain: the time is up, or a person must act first; for ``prove``: a connection is broken."""
    INTERRUPTED = 130
    """Ctrl-C."""


EPILOG = """\
[bold]Start here[/]

aistack catalog                       what there is
aistack plan -f stack.yaml            what it asks for, and what would change
aistack apply -f stack.yaml --wait    make it so, and watch
aistack open mlflow                   a page in your browser, with its login
aistack prove                         test every connection by doing real work

[bold]Exit codes[/]

0    done; for plan: nothing would change
1    error: wrong usage, refused input, a request that failed
2    plan found changes
3    not ready: the time is up, or a person must act first; for prove: a connection is broken
130  interrupted

Global options may stand before or after the command: aistack status -n ml.
"""
