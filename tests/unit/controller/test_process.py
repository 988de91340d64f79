"""The operator's process, without a cluster: it waits for one, and stops when it is told to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from aistack.controller import watch
from aistack.controller.endpoints import split_address
from aistack.controller.watch import StackWatch
from aistack.errors import InvalidError

STARTER = Path(__file__).parents[3] / "examples" / "starter.yaml"
NOWHERE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "x",
    "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:9"}}],
    "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    "users": [{"name": "x", "user": {}}],
}


def test_a_cluster_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    kubeconfig, log = tmp_path / "kubeconfig", tmp_path / "log"
    kubeconfig.write_text(yaml.safe_dump(NOWHERE))
    command = [sys.executable, "-m", "aistack.controller", "--kubeconfig", str(kubeconfig)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        end = time.monotonic() + 60
        while log.read_text().count("can't start yet") < 2 and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.wait(20)

    assert log.read_text().count("can't start yet") >= 2
    assert "Traceback" not in log.read_text()
    assert process.returncode == 0


class OldServer(BaseHTTPRequestHandler):
    """Answers as an API server of a version that none of the test clusters can have any more."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"major": "1", "minor": "29", "gitVersion": "v1.29.4"}).encode())


@pytest.fixture
def old_cluster(tmp_path: Path) -> Iterator[Path]:
    """Credentials of such a cluster."""
    with ThreadingHTTPServer(("127.0.0.1", 0), OldServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = {"server": f"http://127.0.0.1:{server.server_port}"}
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump({**NOWHERE, "clusters": [{"name": "x", "cluster": address}]}))
        yield path
        server.shutdown()


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("aistack.controller",), id="operator"),
        pytest.param(("aistack.cli", "apply", "-f", str(STARTER)), id="apply"),
    ],
)
def test_a_cluster_that_is_too_old_is_refused_at_once(old_cluster: Path, command: tuple[str, ...]) -> None:
    environment = {**os.environ, "KUBECONFIG": str(old_cluster)}
    done = subprocess.run(
        [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "error: the cluster's Kubernetes v1.29.4 is too old; 1.30 or newer is needed: upgrade it\n"


@pytest.mark.parametrize(
    ("given", "host"), [("10.0.0.7:8080", "10.0.0.7"), ("fd00::7:8080", "fd00::7"), ("[fd00::7]:8080", "fd00::7")]
)
def test_addresses_of_both_families(given: str, host: str) -> None:
    assert split_address(given) == (host, 8080)


@pytest.mark.parametrize("given", ["8080", ":8080", "10.0.0.7:http", "10.0.0.7"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidError, match=r"--listen: .* is no address with a port; write e.g. 10.0.0.7:8080"):
        split_address(given)


class Deaf:
    """An operator whose cluster never serves AIStacks."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def wait_until_served(self) -> None:
        self.asked.set()
        await asyncio.sleep(600)


async def test_stopping_waits_for_nothing() -> None:
    operator: Any = Deaf()
    watching, stopping = StackWatch(operator), asyncio.Event()

    async def kopf_ends(_: asyncio.Event) -> None:
        pass

    watching._run_once = kopf_ends  # type: ignore[method-assign]
    running = asyncio.create_task(watching.run(stopping))
    await operator.asked.wait()
    stopping.set()
    await asyncio.wait_for(running, 5)


class Failing(Deaf):
    """An operator whose watch fails at once, twice."""

    async def is_served(self) -> bool:
        return True

    async def wait_until_served(self) -> None:
        pass


async def test_the_watch_is_started_anew_when_kopf_fails_while_a_thread_of_its_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[int] = []
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()

    async def kopf_fails(*, stop_flag: threading.Event, **_: Any) -> None:
        started.append(1)
        if len(started) == 2:
            loop.call_soon_threadsafe(stopping.set)
        waiting = asyncio.create_task(asyncio.to_thread(stop_flag.wait))  # as kopf waits for its flag
        await asyncio.sleep(0)
        assert not waiting.done()
        raise RuntimeError("404 on the list of AIStacks")

    monkeypatch.setattr("kopf.operator", kopf_fails)
    monkeypatch.setattr(watch, "RESTART_PAUSE", 0.0)
    operator: Any = Failing()
    await asyncio.wait_for(StackWatch(operator).run(stopping), 20)
    assert len(started) == 2
