"""Asks the operator for work on a stack's connections, and follows it until it is done.

A request is an annotation with a token of its own; the status repeats it once it was carried out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from aistack.api.spec import AIStack
from aistack.api.status import EdgeStatus
from aistack.cli.stacks import Stacks
from aistack.cli.standing import understood
from aistack.errors import ClusterError, InvalidError
from aistack.objects.manifest import Manifest

Handled = Callable[[AIStack], str | None]
"""Reads from a stack which request was carried out last."""


def named_edges(stack: AIStack, name: str) -> Sequence[EdgeStatus]:
    """Return the edges that are meant: the one of that name, or all.

    Raises:
        InvalidError: there is none of that name, or nothing is connected, or the stack is suspended.
    """
    edges = stack.status.edges
    if stack.spec.suspend:
        raise InvalidError(f"{stack.name} is suspended; set spec.suspend to false first")
    if not edges:
        raise InvalidError(f"{stack.name} has no connections (yet): nothing in it uses anything of another component")
    found = [edge for edge in edges if not name or edge.name == name]
    if not found:
        raise InvalidError(f"{stack.name} has no connection {name!r}; it has {', '.join(edge.name for edge in edges)}")
    return found


def request(edge: str = "") -> str:
    """Return a request that differs from all before, for one edge or for all."""
    token = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{token} {edge}".rstrip()


async def carried_out(
    stacks: Stacks, live: Manifest, annotation: str, asked: str, handled: Handled, seconds: float
) -> AsyncIterator[tuple[AIStack, bool]]:
    """Make a request, and yield the stack at every change, and whether the request was carried out, which ends it.

    Raises:
        TimeoutError: it was not, in that time.
        ClusterError: the stack can't be read or written, or is gone.
    """
    await stacks.annotate(live, annotation, asked)
    namespace, name = live["metadata"]["namespace"], live["metadata"]["name"]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    async with aclosing(stacks.follow(namespace, name)) as looks:
        while True:
            async with asyncio.timeout_at(deadline):
                found = await anext(looks)
            if found is None:
                raise ClusterError(f"{name} is gone", 404, "NotFound")
            stack = understood(found)
            done = handled(stack) == asked
            yield stack, done
            if done:
                return
