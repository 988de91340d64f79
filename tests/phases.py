"""What there is to run before a change lands, in order of cost."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = ("--ignore=tests/e2e/test_component_authors.py",)
"""Its image alone takes minutes to build: `make example` tries it."""
ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest")
EXAMPLES = tuple(map(str, sorted((ROOT / "examples" / "components").iterdir())))


@dataclass(frozen=True)
class Phase:
    """Commands that belong together, and how long they take with caches empty and full.

    Args:
        name: to ask for it.
        about: what it is, in a few words.
        estimate: how long it takes.
        commands: run one after the other, until one fails.
        timed: it depends on what other processes do when: its failed tests run once more, see decision 23.
        beside: the phase that it runs beside, where both are wanted, with what that one leaves of the machine.
    """

    name: str
    about: str
    estimate: str
    commands: tuple[tuple[str, ...], ...]
    timed: bool = False
    beside: str = ""


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
        "programs",
        "what other tests run: Kubernetes, helm, a registry, Argo CD's health runner, Flux",
        "5 s; 24 min the first time",
        (
            (sys.executable, "-m", "tests.cluster", "control-plane", "build"),
            (sys.executable, "-m", "tests.chart.helm"),
            (sys.executable, "-m", "tests.repositories"),
            (sys.executable, "-m", "tests.integration.argohealth"),
            (sys.executable, "-m", "tests.flux.programs"),
            (sys.executable, "-m", "tests.integration.actionlint"),
            (sys.executable, "-m", "tests.oci"),
        ),
    ),
    Phase(
        "integration",
        "tests against a real API server",
        "13 min",
        ((*PYTEST, "-q", "--no-skips", "--durations=15", "-n", "2", "tests/integration"),),
        timed=True,
        beside="e2e",
    ),
    Phase(
        "faults",
        "a slice of the fault matrix: the operator killed, cut off and lied to at one call after the other",
        "4 min",
        ((*PYTEST, "-q", "--no-skips", "tests/faults"),),
        timed=True,
        beside="e2e",
    ),
    Phase(
        "images",
        "component images, the kind cluster and what tests on it need",
        "1 min; 14 min more the first time",
        ((sys.executable, "-m", "tests.demo", "cluster"),),
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
NEEDED = {
    "integration": ("programs", "integration"),
    "faults": ("programs", "faults"),
    "e2e": ("programs", "images", "e2e"),
}
"""Phases that a phase asked for by name brings along."""
