"""Logs: one JSON object a line, with the stack that it is about, whoever writes it."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import asyncio, logging
import structlog
from aistack.cluster.queue import WorkQueue
from aistack.controller.__main__ import configure_logs
from aistack.controller.operator import log_changes, log_fields
from aistack.errors import NotReadyError
from aistack.objects.health import Health, HealthState
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import ObjectOutcome, Verb

configure_logs("json")
service, fine = ObjectRef("v1", "Service", "ml", "db"), Health(HealthState.CURRENT)
done = [ObjectOutcome(service, verb, fine) for verb in (Verb.REPAIRED, Verb.UNCHANGED)]

async def work(key):
    log_changes("postgres", done)
    logging.getLogger("somebody").warning("said %s", "so")
    raise {"a": NotReadyError("no answer"), "b": ZeroDivisionError("a bug")}[key[1]]

async def main():
    queue = WorkQueue(work, fields=log_fields)
    queue.add(("ml", "a"))
    queue.add(("ml", "b"))
    task = asyncio.create_task(queue.run())
    await asyncio.sleep(0.3)
    task.cancel()
    structlog.get_logger("x").info("afterwards")

asyncio.run(main())
"""


def test_every_line_is_json_and_says_which_stack_it_is_about() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    about = {(line.get("namespace"), line.get("stack")) for line in lines if line["event"] != "afterwards"}
    assert about == {("ml", "a"), ("ml", "b")}
    changes = [line for line in lines if line["event"].startswith("object ")]
    assert {(c["event"], c["component"], c["object"]) for c in changes} == {
        ("object repaired", "postgres", "Service/db")
    }
    assert [line["error"] for line in lines if line["event"] == "not ready, comes again"] == ["no answer"]
    (bug,) = [line for line in lines if line["level"] == "error"]
    assert bug["stack"] == "b"
    assert "ZeroDivisionError: a bug" in bug["exception"]
    assert [line["level"] for line in lines if line["event"] == "said so"] == ["warning", "warning"]
    assert "stack" not in lines[-1]
