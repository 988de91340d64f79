"""Waiting for a condition with a limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.cluster.common.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(ready: Callable[[], bool], timeout: float, what: str, interval: float = 0.2) -> None:
    """Wait until a condition holds.

    Args:
        ready: the condition.
        timeout: seconds.
        what: names what is waited for, in the error.
        interval: seconds between two looks.

    Raises:
        ClusterError: it does not hold in time.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        if time.monotonic() > deadline:
            raise ClusterError(f"{what} is not ready after {timeout:.0f} s")
        time.sleep(interval)
