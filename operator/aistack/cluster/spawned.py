"""What an owner's tools make themselves, e.g. notebook pods and home volumes: no plan names them, a label does.

They are taken away with their unit, after it, so that nothing makes them anew. Our manager never wrote them, so the
label is the guard here; it is part of the templates that the tool gets, in the owner's own namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.cluster.remove import Removed, delete_live
from aistack.cluster.settings import POD
from aistack.errors import AIStackError


async def remove_spawned(ctx: Context, of_unit: Callable[[str], bool], keep_data: bool) -> Removed:
    """Delete spawned pods of some units, and then, unless data is kept, all else that they spawned.

    Args:
        ctx: the pass.
        of_unit: tells which units are meant, by name.
        keep_data: whether everything but pods stays.
    """
    result = Removed([], [], [])
    found = [live for live in ctx.store.of(ctx.owner.key) if _spawned(ctx, live, of_unit)]
    pods = [live for live in found if live.ref.object_kind == POD]
    await _delete_all(ctx, pods, result)
    if not (keep_data or result.waiting or result.errors):
        await _delete_all(ctx, [live for live in found if live not in pods], result)
    return result


async def _delete_all(ctx: Context, lives: Iterable[Live], result: Removed) -> None:
    for live in lives:
        try:
            outcome = None if live.terminating else await delete_live(ctx, live)
        except AIStackError as error:
            result.errors.append(error)
            continue
        if outcome is None:
            result.waiting.append(live.ref)
        else:
            result.outcomes.append(outcome)


def _spawned(ctx: Context, live: Live, of_unit: Callable[[str], bool]) -> bool:
    return live.labels.get(ctx.settings.spawned_label) == "true" and of_unit(
        live.labels.get(ctx.settings.unit_label, "")
    )
