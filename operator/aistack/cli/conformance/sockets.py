"""Whom a pod is connected to, as its kernel says, and whether it should be.

Read in a container that joins the pod for some seconds; the pod's own have no tools for it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LISTEN, TIME_WAIT = "0A", "06"
"""States of a socket: the first has no other side, of the second nobody knows who began."""
PROGRAM = """\
import sys, time
seen, end = set(), time.time() + float(sys.argv[1])
while time.time() < end:
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}") as table:
            seen |= {(name, *line.split()[1:4]) for line in list(table)[1:]}
    time.sleep(0.05)
for line in sorted(seen):
    print(*line)
"""
"""Prints each socket that there was: table, local address, other side's address, state, as the kernel writes them."""


@dataclass(frozen=True)
class Peer:
    """The other side of a connection."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


def peers(said: str) -> Iterator[Peer]:
    """Yield whom the pod connected to, from what :data:`PROGRAM` printed; not who connected to it, nor itself."""
    sockets = [tuple(line.split()) for line in said.splitlines() if len(line.split()) == 4]
    listening = {local.rpartition(":")[2] for _, local, _, state in sockets if state == LISTEN}
    for _, local, other, state in sockets:
        if state not in (LISTEN, TIME_WAIT) and local.rpartition(":")[2] not in listening:
            peer = _peer(other)
            if not peer.address.is_loopback:
                yield peer


def undeclared(found: Iterable[Peer], allowed: Iterable[str]) -> tuple[Peer, ...]:
    """Return those peers whose addresses aren't among the allowed ones."""
    known = {ipaddress.ip_address(address) for address in allowed}
    return tuple(sorted({peer for peer in found if peer.address not in known}, key=str))


def _peer(text: str) -> Peer:
    """Read an address as the kernel writes it: words of four bytes in hex, each back to front, and the port."""
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    turned = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    found = ipaddress.ip_address(turned)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return Peer(mapped or found, int(port, 16))
