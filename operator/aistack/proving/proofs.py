"""Proofs: run ``prove.py`` of each contract that a consumer is bound by, over the consumer's own shares.

A proof is a list of steps. It ends with the first one that fails, and says which that was. Every edge is proven by a
process of its own: one that crashes, hangs or eats memory fails alone.
"""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aistack.proving.bindings import BINDINGS, hider, read_binding
from aistack.proving.results import Result, failure, kind_of, say

DEADLINE = 120
"""Seconds that the proof of one edge may take."""
PATIENCE = 5.0
"""Seconds for which a proof that reaches nobody at all starts again: networks and sidecars lag behind their pods."""
TERMINATION_LOG = Path("/dev/termination-log")
LONGEST_REPORT = 4096
"""Bytes that Kubernetes keeps of a termination message."""
Steps = list[dict[str, Any]]


class StepFailedError(Exception):
    """A step failed, and was printed."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(kind)


class Step:
    """Given to ``prove(share, step)``: times steps and prints what came of each.

    ``with step("log in"): ...`` is one step; ``step.refuses("a wrong password", attempt)`` is one that succeeds when
    the attempt ends with a PermissionError; ``with step.warns("a port is closed"): ...`` is one that only warns.
    """

    def __init__(self, edge: str, hide: Callable[[str], str]) -> None:
        self._edge, self._hide, self._failed = edge, hide, False

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Do one step inside a ``with`` block; after a step that failed, what cleans up is done without a word."""
        started = time.monotonic()
        kind, message = "", ""
        try:
            yield
        except Exception as error:
            kind, message = failure(error, self._hide)
        if self._failed:
            return
        self._say(Result(name, not kind, _since(started), kind, message))
        if kind:
            self._failed = True
            raise StepFailedError(kind)

    @contextmanager
    def warns(self, name: str) -> Iterator[None]:
        """Do one step whose failure is worth a warning, and breaks nothing."""
        started = time.monotonic()
        message = ""
        try:
            yield
        except Exception as error:
            _, message = failure(error, self._hide)
        self._say(Result(name, True, _since(started), warning=message))

    def _say(self, result: Result) -> None:
        say(sys.stdout, json.dumps({"edge": self._edge, **json.loads(result.line())}))

    def refuses(self, name: str, attempt: Callable[[], object]) -> None:
        """Make an attempt that must be refused: it fails if it succeeds, and if something else went wrong."""
        with self(f"{name} is refused"):
            try:
                attempt()
            except Exception as error:
                if kind_of(error) != "auth":
                    raise
            else:
                raise PermissionError(f"{name} was let in")


def prove_one(argument: str, bindings: Path = BINDINGS, patience: float = PATIENCE) -> int:
    """Prove one edge and print each step.

    Args:
        argument: ``EDGE=CONTRACT``.
        bindings: folder with the share, under the edge's name.
        patience: seconds for which a first step that reaches nobody is tried again.

    Returns:
        The exit status: 0, or 1 if a step failed.
    """
    edge, _, contract = argument.partition("=")
    share = read_binding(bindings / edge)
    program = importlib.import_module(f"contracts.{contract}.prove")
    end = time.monotonic() + patience
    while True:
        try:
            program.prove(share, Step(edge, hider(share)))
        except StepFailedError as error:
            if error.kind != "network" or time.monotonic() > end:
                return 1
            time.sleep(0.5)
            continue
        return 0


def prove_all(
    arguments: Sequence[str], command: Sequence[str] = (), log: Path = TERMINATION_LOG, deadline: float = DEADLINE
) -> int:
    """Prove edges one after the other, and leave a report of all steps where the kubelet finds it.

    Args:
        arguments: ``EDGE=CONTRACT``, for each edge.
        command: what proves one edge, before its argument; this program by default.
        log: file of the termination message: ``{edge: [step, ...]}`` in JSON.
        deadline: seconds for each edge.

    Returns:
        The exit status: 0, or 1 if a proof failed.
    """
    own = (sys.executable, "-m", "aistack.proving", "prove-one")
    found = {a.partition("=")[0]: _edge([*(command or own), a], deadline) for a in arguments}
    log.write_text(fit(found), "utf-8")
    return 0 if all(steps and steps[-1]["ok"] for steps in found.values()) else 1


def _edge(command: Sequence[str], deadline: float) -> Steps:
    """Run one edge's proof; repeat what it prints, and return the steps of its last attempt."""
    started = time.monotonic()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=deadline, check=False)
        output, code = done.stdout, done.returncode
        problem = ("other", f"the proof ended with status {code} and said nothing of it")
    except subprocess.TimeoutExpired as error:
        output, code = (error.stdout or b"").decode("utf-8", "replace"), -1
        problem = ("slow", f"the proof took longer than {deadline:.0f} seconds")
    sys.stdout.write(output)
    steps = _last_attempt([json.loads(line) for line in output.splitlines() if line.endswith("}")])
    if code and (not steps or steps[-1]["ok"]):
        steps.append(json.loads(Result("finish", False, _since(started), *problem).line()))
    return steps


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _last_attempt(steps: Steps) -> Steps:
    failed = [i for i, step in enumerate(steps[:-1]) if not step["ok"]]
    return steps[failed[-1] + 1 :] if failed else steps


def fit(found: dict[str, Steps]) -> str:
    """Encode a report so that the kubelet keeps all of it: what went well is left out first, then the ends of words."""
    for longest, kept in ((400, 0), (400, -1), (100, -1), (20, -1)):
        report = {edge: [_short(step, longest) for step in steps[kept:]] for edge, steps in found.items()}
        text = json.dumps(report, separators=(",", ":"))
        if len(text) <= LONGEST_REPORT:
            break
    return text


def _short(step: dict[str, Any], longest: int) -> dict[str, Any]:
    kept = {"name": step["name"], "ok": step["ok"], "ms": step["milliseconds"]}
    if step.get("warning"):
        kept["warning"] = step["warning"][:longest]
    return kept if step["ok"] else {**kept, "class": step["class"], "message": step["message"][:longest]}
