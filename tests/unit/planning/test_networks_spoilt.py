"""The computation of test_networks.py can fail: each part of each policy, gone or widened, changes what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from aistack.api.labels import STACK
from aistack.objects.manifest import Manifest
from aistack.planning.plan import Planned
from tests.reach import Network, Plugin
from tests.toy import objects, plan, starter
from tests.wanted import Wanted

# With the internet open to notebooks, rules towards their hub change nothing: hence the starter without.
STACKS = {
    "starter-offline": plan(
        "{profile: starter, components: [{name: jupyterhub, values: {internet: false}}]}", catalog=starter()
    ),
    "toy-with-a-cache": plan("{profile: toy, components: [{name: cache}]}"),
}


def mutations(rendered: tuple[Manifest, ...]) -> Iterator[tuple[str, tuple[Manifest, ...]]]:
    """Yield the policies with one thing taken away or widened, and what it was."""
    for number, policy in enumerate(rendered):
        name = policy["metadata"]["name"]
        yield f"{name} gone", rendered[:number] + rendered[number + 1 :]
        for what, spec in _spoilt(policy["spec"]):
            yield f"{name}: {what}", (*rendered[:number], {**policy, "spec": spec}, *rendered[number + 1 :])


def _spoilt(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a policy's spec with one part gone: a list gets shorter, a key of an object is missing."""
    yield "selects every pod", {**spec, "podSelector": {}}
    for path in _parts({k: spec[k] for k in ("podSelector", "ingress", "egress") if k in spec}):
        changed = deepcopy(spec)
        parent: Any = changed
        for step in path[:-1]:
            parent = parent[step]
        del parent[path[-1]]
        yield ".".join(map(str, path)) + " gone", changed


def _parts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of all rules, peers, blocks, exceptions, ports and stack labels in a spec."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        here = (*path, key)
        last_of_its_kind = isinstance(value, list) and len(value) == 1 and path[-1] in ("ports", "to", "from")
        counts = isinstance(value, list) or key in (STACK, "ports", "to", "from", "podSelector")
        if counts and not last_of_its_kind and here != ("podSelector",):
            yield here
        yield from _parts(item, here)


@pytest.mark.parametrize("planned", STACKS.values(), ids=STACKS)
def test_a_part_that_is_dropped_or_widened_is_noticed(planned: Planned) -> None:
    rendered = tuple(m for ref, m in objects(planned).items() if ref.kind == "NetworkPolicy")
    both = [Wanted(planned, plugin) for plugin in Plugin]
    unnoticed = [what for what, spoilt in mutations(rendered) if all(_agrees(w, spoilt) for w in both)]
    assert unnoticed == []


def test_there_is_much_to_spoil() -> None:
    rendered = tuple(m for ref, m in objects(STACKS["starter-offline"]).items() if ref.kind == "NetworkPolicy")
    assert len(list(mutations(rendered))) > 100


def _agrees(wanted: Wanted, rendered: tuple[Manifest, ...]) -> bool:
    network = Network(rendered, wanted.places, wanted.ports, wanted.plugin)
    return network.sent() == wanted.sent and network.received() == wanted.received
