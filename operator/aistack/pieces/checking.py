"""Checks a piece in a process of its own, so that no file of it can take the operator's time or memory."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from aistack.catalog.models import Catalog
from aistack.catalog.pieces import Piece
from aistack.errors import ArtifactError, NotReadyError
from aistack.objects.manifest import ObjectKind
from aistack.pieces.loading import Wanted

CPU_SECONDS = 15
"""What a check may take; most take one, and nearly all of that to start."""
SECONDS = 60.0
"""What it may take where others have the CPU."""
SHOWN = 5
"""Problems that are told."""
Rule = tuple[str, str, str]
"""Group, resource and verb."""


@dataclass(frozen=True)
class Findings:
    """What a check found."""

    problems: tuple[str, ...] = ()
    made: tuple[ObjectKind, ...] = ()
    """Kinds that its templates made in the examples."""
    granted: tuple[Rule, ...] = ()
    """Rights that its Roles grant."""


async def check(root: Path, wanted: Wanted, base: Catalog, others: Sequence[Piece]) -> Findings:
    """Check a piece's folder: the same checks as ``aistack catalog check``, in the catalog that it would be part of.

    Args:
        root: its folder.
        wanted: what it is to be.
        base: the catalog without pieces.
        others: the pieces in use.

    Raises:
        ArtifactError: it takes more CPU or memory than is allowed.
        NotReadyError: it didn't get the CPU that it needs.
    """
    asked = pickle.dumps((root, wanted, base, tuple(others)))
    scratch = root.parent / "scratch"  # goes with the piece's folder, however the process ends
    scratch.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "aistack.pieces.checker",
        str(CPU_SECONDS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(asked), SECONDS)
    except TimeoutError:
        raise NotReadyError(
            f"{wanted.reference}: its checks didn't end within {SECONDS:.0f} s, for want of CPU; they are tried again"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return _read(orjson.loads(said))
    except orjson.JSONDecodeError:
        problem = f"its checks took more than {CPU_SECONDS} s of CPU, or more memory than they may"
        raise ArtifactError(
            str(wanted.reference), problem, "make its templates and schemas simpler, and push it again"
        ) from None


def _read(said: Mapping[str, Any]) -> Findings:
    problems = [str(problem) for problem in said["problems"]]
    more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    made = (ObjectKind(*kind) for kind in said["made"])
    granted = ((str(group), str(resource), str(verb)) for group, resource, verb in said["granted"])
    return Findings((*problems[:SHOWN], *more), tuple(made), tuple(granted))
