"""``python -m aistack.pieces.checker SECONDS``: the process that checks a piece, and takes no more CPU than that.

It reads pickled arguments from standard input, bounds itself, and writes what it found as JSON.
"""

from __future__ import annotations

import pickle
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import orjson

from aistack.catalog.models import Catalog
from aistack.catalog.pieces import Piece
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject
from aistack.pieces.examining import examine as look_at
from aistack.pieces.loading import Wanted
from aistack.planning.check import example_plans
from aistack.rendering import plan_new

LIMITS = {resource.RLIMIT_DATA: 512 * 2**20, resource.RLIMIT_FSIZE: 16 * 2**20}
"""Bytes of memory, bytes of each file that is written: charts are staged as files."""


def main(cpu_seconds: int) -> None:
    """Check one piece."""
    for what, most in {**LIMITS, resource.RLIMIT_CPU: cpu_seconds}.items():
        # Softly: helm, which renders charts, is given limits of its own.
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
    asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - the operator's own words, not the piece's
    sys.stdout.buffer.write(orjson.dumps(examine(*asked)))


def examine(root: Path, wanted: Wanted, base: Catalog, others: Sequence[Piece]) -> dict[str, list[Any]]:
    """Return what is wrong with a piece, or which kinds and rights it takes; see :func:`aistack.pieces.checking.check`.

    Args:
        root: its folder.
        wanted: what it is to be.
        base: the catalog without pieces.
        others: the pieces in use.
    """
    found = look_at(root, wanted, base, others)
    if found.piece is None or found.catalog is None:
        return _said(str(problem) for problem in found.problems)
    catalog = found.catalog
    made = [manifest for name in found.piece.components for manifest in _made(catalog, name)]
    kinds = {(manifest["apiVersion"], manifest["kind"]) for manifest in made}
    return _said((), sorted(kinds), sorted(set(_granted(made))))


def _said(problems: Iterable[str], made: Iterable[Any] = (), granted: Iterable[Any] = ()) -> dict[str, list[Any]]:
    return {"problems": list(problems), "made": list(made), "granted": list(granted)}


def _made(catalog: Catalog, component: str) -> Iterator[Manifest]:
    """Yield what a component makes in its examples."""
    for planned in example_plans(catalog, plan_new, component):
        unit = next(unit for unit in planned.plan.units if unit.name == component)
        yield from (step.manifest for step in unit.objects() if isinstance(step, ApplyObject))


def _granted(made: Iterable[Manifest]) -> Iterator[tuple[str, str, str]]:
    """Yield the rights that Roles grant, which whoever makes them must hold."""
    for role in (manifest for manifest in made if manifest["kind"] == "Role"):
        for rule in role.get("rules") or ():
            yield from product(*(rule.get(part) or ["*"] for part in ("apiGroups", "resources", "verbs")))


if __name__ == "__main__":
    main(int(sys.argv[1]))
