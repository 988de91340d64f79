"""``python -m tests.all [PHASE...]``: every check in order of cost, each with its time; ends with pytest's summary."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chart.helm import use as use_helm

EXAMPLE = ("--ignore=tests/e2e/test_component_authors.py",)
"""Its image alone takes minutes to build: `make example` tries it."""
ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest")
EXAMPLES = tuple(map(str, sorted((ROOT / "examples" / "components").iterdir())))


@dataclass(frozen=True)
class Phase:
    """Commands that belong together, and how long they take with caches empty and full.

    A phase that is ``timed`` depends on what other processes do when: its failed tests run once more, see decision 23.
    """

    name: str
    about: str
    estimate: str
    commands: tuple[tuple[str, ...], ...]
    timed: bool = False


PHASES = (
    Phase(
        "lint",
        "ruff, mypy, import-linter, checks of the catalog and of examples",
        "20 s; 3 min more the first time, to build helm",
        (
            (sys.executable, "-m", "tests.chart.helm"),
            (str(BIN / "ruff"), "check", "--quiet", "."),
            (str(BIN / "ruff"), "format", "--quiet", "--check", "."),
            (str(BIN / "mypy"),),
            (str(BIN / "lint-imports"), "--no-logo"),
            (str(BIN / "aistack"), "catalog", "check"),
            (str(BIN / "aistack"), "component", "check", *EXAMPLES),
        ),
    ),
    Phase("generated", "generated files are clean", "10 s", ((sys.executable, "-m", "tests.generate", "--check"),)),
    Phase(
        "unit",
        "tests that need nothing but Python and helm",
        "3 min",
        ((*PYTEST, "-q", "-n", "2", "tests/unit"),),
    ),
    Phase(
        "contracts",
        "claims and proofs against real servers on loopback",
        "4 min",
        ((*PYTEST, "-q", "--no-skips", "-n", "2", "--dist", "loadfile", "tests/contracts"),),
        timed=True,
    ),
    Phase(
        "integration",
        "tests against a real API server",
        "13 min; 24 min more the first time, to build Kubernetes, helm, a registry, Argo CD's health runner and Flux",
        (
            (sys.executable, "-m", "tests.cluster", "control-plane", "build"),
            (sys.executable, "-m", "tests.chart.helm"),
            (sys.executable, "-m", "tests.repositories"),
            (sys.executable, "-m", "tests.integration.argohealth"),
            (sys.executable, "-m", "tests.flux.programs"),
            (sys.executable, "-m", "tests.integration.actionlint"),
            (sys.executable, "-m", "tests.oci"),
            (*PYTEST, "-q", "--no-skips", "--durations=15", "-n", "2", "tests/integration"),
        ),
        timed=True,
    ),
    Phase(
        "faults",
        "a slice of the fault matrix: the operator killed, cut off and lied to at one call after the other",
        "4 min",
        ((*PYTEST, "-q", "--no-skips", "tests/faults"),),
        timed=True,
    ),
    Phase(
        "images",
        "component images, the kind cluster and what tests on it need",
        "1 min; 14 min more the first time",
        ((sys.executable, "-m", "tests.demo", "cluster"), (sys.executable, "-m", "tests.flux.programs")),
    ),
    Phase(
        "e2e",
        "tests on real nodes",
        "36 min; 2 min more the first time, to fetch Chromium",
        (
            (sys.executable, "-m", "tests.journey.chromium"),
            (*PYTEST, "--no-skips", "--durations=30", *EXAMPLE, "tests/e2e"),
        ),
        timed=True,
    ),
)
NEEDED = {"e2e": ("images", "e2e")}
"""Phases that a phase asked for by name brings along."""


def main(wanted: Sequence[str]) -> int:
    """Run the phases named, or all; stop at the first failure."""
    use_helm()
    names = [name for word in wanted for name in NEEDED.get(word, (word,))]
    if unknown := set(names) - {phase.name for phase in PHASES}:
        print(f"no such phase: {', '.join(unknown)}; there are {', '.join(p.name for p in PHASES)}", file=sys.stderr)
        return 2
    phases = [phase for phase in PHASES if not names or phase.name in names]
    for number, phase in enumerate(phases, start=1):
        print(f"\n== [{number}/{len(phases)}] {phase.name}: {phase.about} (about {phase.estimate})", flush=True)
        started = time.monotonic()
        if not all(_succeeds(command, phase.timed) for command in phase.commands):
            print(f"== {phase.name} FAILED after {time.monotonic() - started:.0f} s", flush=True)
            return 1
        if phase is not phases[-1]:
            print(f"== {phase.name} done in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def _succeeds(command: tuple[str, ...], timed: bool) -> bool:
    """Run a command; where tests failed in a timed phase, these once more, with a world of their own."""
    if not timed or command[: len(PYTEST)] != PYTEST:
        return _run(command) == 0
    # A run that is killed notes no failures: those that an earlier run left behind would then pass in its place.
    code = _run((*command, "--cache-clear"))
    if code != pytest.ExitCode.TESTS_FAILED:
        return code == 0
    print("\n== FLAKY or broken: the tests that failed run once more; please report those that pass now", flush=True)
    return _run((*command, "--last-failed", "--last-failed-no-failures=none")) == 0


def _run(command: tuple[str, ...]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
