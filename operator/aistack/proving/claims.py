"""Claims: run one function of a contract's ``claim.py`` over the admin binding and the consumer's share."""

import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from aistack.proving.bindings import BINDINGS, hider, read_binding
from aistack.proving.results import Result, failure, report

PATIENCE = 60.0
"""Seconds for which an unreachable provider is tried again: a Service lags behind its pods."""


def run_claim(function: str, contract: str, bindings: Path = BINDINGS, patience: float = PATIENCE) -> int:
    """Run a contract's function and print what came of it.

    Args:
        function: ``claim``, ``revoke`` or ``retire``.
        contract: the contract's name; its program is the module ``contracts.<name>.claim``.
        bindings: folder with ``admin`` and ``share``.
        patience: seconds for which an unreachable provider is tried again.

    Returns:
        The exit status: 0, or 1 if the run failed.
    """
    admin, share = read_binding(bindings / "admin"), read_binding(bindings / "share")
    started = time.monotonic()
    kind, message = "", ""
    try:
        program = getattr(importlib.import_module(f"contracts.{contract}.claim"), function)
        patiently(lambda: program(admin, share), patience)
    except Exception as error:
        kind, message = failure(error, hider(admin, share))
    return report(Result(f"{function}/{contract}", not kind, round((time.monotonic() - started) * 1000), kind, message))


def patiently(attempt: Callable[[], object], patience: float) -> None:
    """Make attempts until one reaches the provider, for ``patience`` seconds at most."""
    end = time.monotonic() + patience
    for pause in _pauses():
        try:
            attempt()
            return
        except ConnectionError:
            if time.monotonic() + pause > end:
                raise
            time.sleep(pause)


def _pauses() -> Iterator[float]:
    pause = 0.25
    while True:
        yield pause
        pause = min(pause * 2, 5.0)
