"""``python -m tests.all [PHASE...]``: every check in order of cost, each with its time; ends with pytest's summary."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chart.helm import use as use_helm
from tests.phases import NEEDED, PHASES, PYTEST, ROOT, Phase

ALONE = "--alone"
"""Before names of phases: without what they need."""
LOW = ("nice", "-n", "10")


def main(wanted: Sequence[str]) -> int:
    """Run the phases named, or all; stop at the first failure."""
    use_helm()
    names = wanted[1:] if ALONE in wanted[:1] else [name for word in wanted for name in NEEDED.get(word, (word,))]
    if unknown := set(names) - {phase.name for phase in PHASES}:
        print(f"no such phase: {', '.join(unknown)}; there are {', '.join(p.name for p in PHASES)}", file=sys.stderr)
        return 2
    phases = [phase for phase in PHASES if not names or phase.name in names]
    mains = {phase.name for phase in phases if not phase.beside}
    first = [phase for phase in phases if phase.beside not in mains]
    for number, phase in enumerate(first, start=1):
        print(f"\n== [{number}/{len(first)}] {phase.name}: {phase.about} (about {phase.estimate})", flush=True)
        started = time.monotonic()
        with _beside([other for other in phases if other.beside == phase.name]) as told:
            passed = all(_succeeds(command, phase.timed) for command in phase.commands)
            passed = told() and passed
        if not passed:
            print(f"== {phase.name} FAILED after {time.monotonic() - started:.0f} s", flush=True)
            return 1
        if phase is not first[-1]:
            print(f"== {phase.name} done in {time.monotonic() - started:.0f} s", flush=True)
    return 0


@contextmanager
def _beside(phases: Sequence[Phase]) -> Iterator[Callable[[], bool]]:
    """Run phases with what others leave of the machine; yields what shows their output and judges."""
    if not phases:
        yield lambda: True
        return
    names = [phase.name for phase in phases]
    print(f"== beside it, at low priority, and shown after it: {', '.join(names)}", flush=True)
    command = (*LOW, sys.executable, "-m", "tests.all", ALONE, *names)
    with tempfile.NamedTemporaryFile() as words:
        process = subprocess.Popen(command, cwd=ROOT, stdout=words, stderr=subprocess.STDOUT)
        try:
            yield lambda: _shown(process, Path(words.name))
        finally:
            process.wait()  # an interrupt from the keyboard reaches it as well


def _shown(process: subprocess.Popen[bytes], words: Path) -> bool:
    """Show what a process says until it ends; tells whether it ended well."""
    with words.open() as said:
        ended = False
        while True:
            sys.stdout.write(said.read())
            sys.stdout.flush()
            if ended:
                return process.returncode == 0
            ended = process.poll() is not None
            time.sleep(1)


def _succeeds(command: tuple[str, ...], timed: bool) -> bool:
    """Run a command; where tests failed in a timed phase, these once more, with a world of their own."""
    if not timed or command[: len(PYTEST)] != PYTEST:
        return _run(command) == 0
    # A run that is killed notes no failures: those that an earlier run left behind would then pass in its place.
    kept = f"cache_dir=.pytest_cache/{Path(command[-1]).name}"  # phases that run beside each other have one each
    command = (*command, "-o", kept)
    code = _run((*command, "--cache-clear"))
    if code != pytest.ExitCode.TESTS_FAILED:
        return code == 0
    print("\n== FLAKY or broken: the tests that failed run once more; please report those that pass now", flush=True)
    return _run((*command, "--last-failed", "--last-failed-no-failures=none")) == 0


def _run(command: tuple[str, ...]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
