"""The operator's process, without a cluster: it waits for one, and stops when it is told to."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from aistack.controller.watch import StackWatch

NOWHERE = {
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


class Deaf:
    """An operator whose cluster never serves AIStacks."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def wait_until_served(self) -> None:
        self.asked.set()
        await asyncio.sleep(600)


async def test_stopping_waits_for_nothing() -> None:
    operator: Any = Deaf()
    watch, stopping = StackWatch(operator), asyncio.Event()

    async def kopf_ends(_: asyncio.Event) -> None:
        pass

    watch._run_once = kopf_ends  # type: ignore[method-assign]
    running = asyncio.create_task(watch.run(stopping))
    await operator.asked.wait()
    stopping.set()
    await asyncio.wait_for(running, 5)
