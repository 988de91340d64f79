"""Ports of loopback for servers that are restarted on the same port.

They lie below the range that the kernel gives to outgoing connections: there, a client that tries to reach a server
which is down can be given the server's own port, connects to itself, and keeps the server from coming back.
"""

from __future__ import annotations

import random
import socket

RANGE = range(20_000, 32_000)


def free_ports(count: int, twin: int = 0) -> list[int]:
    """Ports that nobody listens on now, all different.

    Args:
        count: how many.
        twin: also the ports so much above them must be free, for servers that take both.
    """
    found: list[int] = []
    for port in random.sample(RANGE[: len(RANGE) - twin], len(RANGE) - twin):
        if len(found) == count:
            break
        if _is_free(port) and _is_free(port + twin):
            found.append(port)
    return found


def listens(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
