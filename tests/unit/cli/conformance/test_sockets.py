"""Whom a pod is connected to, from its kernel's tables."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys

import pytest

from aistack.cli.conformance.sockets import PROGRAM, Peer, peers, undeclared

LISTENS = "tcp 00000000:2328 00000000:0000 0A"
TABLES: dict[str, tuple[str, list[str]]] = {
    "a server to which somebody connected": (f"{LISTENS}\ntcp 0500F40A:2328 0700F40A:D431 01", []),
    "a client": (f"{LISTENS}\ntcp 0500F40A:9C40 0102F40A:1538 01", ["10.244.2.1:5432"]),
    "a client that isn't answered": ("tcp 0500F40A:9C40 08080808:01BB 02", ["8.8.8.8:443"]),
    "itself": ("tcp 0100007F:9C40 0100007F:1538 01", []),
    "one that ended": ("tcp 0500F40A:9C40 0102F40A:1538 06", []),
    "IPv4 by a socket of IPv6": (
        "tcp6 0000000000000000FFFF00000500F40A:9C40 0000000000000000FFFF00000102F40A:1538 01",
        ["10.244.2.1:5432"],
    ),
    "IPv6": (
        "tcp6 000010FD000000000000000005000000:9C40 000010FD000000000000000007000000:01BB 01",
        ["[fd10::7]:443"],
    ),
}


@pytest.mark.parametrize(("said", "expected"), TABLES.values(), ids=TABLES)
def test_peers(said: str, expected: list[str]) -> None:
    assert [str(peer) for peer in peers(said)] == expected


def test_the_program_sees_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        port = server.getsockname()[1]
        done = subprocess.run([sys.executable, "-c", PROGRAM, "0.2"], capture_output=True, text=True, check=True)
    assert f"0100007F:{port:04X} 00000000:0000 0A" in done.stdout
    assert [line for line in done.stdout.splitlines() if f"0100007F:{port:04X} 01" in line], os.linesep + done.stdout


def test_undeclared_ones_are_named_once() -> None:
    found = [Peer(ipaddress.ip_address(a), 443) for a in ("10.0.0.1", "1.1.1.1", "1.1.1.1")]
    assert [str(peer) for peer in undeclared(found, ["10.0.0.1"])] == ["1.1.1.1:443"]
