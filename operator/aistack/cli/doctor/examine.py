"""All checks of the doctor, run on one cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aistack.api.parse import suggest
from aistack.cli.doctor import api, nodes, place
from aistack.cli.doctor.finding import Case, Check, Finding, Mark
from aistack.cli.footprints import footprint_of
from aistack.cli.session import Session
from aistack.errors import AIStackError, InvalidError

if TYPE_CHECKING:
    from aistack.cluster.client import Client

CHECKS: tuple[Check, ...] = (
    api.version,
    api.definitions,
    api.rights,
    place.namespace,
    place.quota,
    place.storage,
    nodes.nodes,
    nodes.room,
    nodes.images,
    nodes.network,
    nodes.inotify,
)
BEFORE_INSTALLING: tuple[Check, ...] = (api.version, place.quota, place.storage, nodes.nodes, nodes.room, nodes.inotify)
"""Checks of what an installation brings along neither: all that would stop it."""


async def examine(session: Session, profile: str, checks: tuple[Check, ...] = CHECKS) -> list[Finding]:
    """Run checks on the session's cluster and namespace.

    Args:
        session: which cluster and namespace.
        profile: the profile that is to fit.
        checks: which of them.

    Raises:
        InvalidError: there is no such profile, or it can't be planned.
        ClusterError: nobody answers, which is no finding: it would be each check's.
    """
    async with session.client() as client:
        case = _case(session, profile, client, await client.version())
        return list(await asyncio.gather(*(_look(check, case) for check in checks)))


async def _look(check: Check, case: Case) -> Finding:
    """Run one check; that it can't look is its finding."""
    try:
        return await check(case)
    except AIStackError as error:
        return Finding(check.__name__, Mark.UNKNOWN, str(error))


def _case(session: Session, profile: str, client: Client, version: Mapping[str, Any]) -> Case:
    catalog = session.catalog()
    if profile not in catalog.profiles:
        raise InvalidError(f"no profile is named {profile!r}; {suggest(profile, catalog.profiles)}")
    footprint = footprint_of(catalog.profiles[profile], catalog)
    if footprint is None:
        raise InvalidError(f"the profile {profile!r} can't be planned; see aistack catalog check")
    components = [catalog.components[name] for name in catalog.profiles[profile].components]
    images = [image.reference() for component in components for image in component.spec.images.values()]
    wanted = frozenset([*images, catalog.runner.reference()])
    return Case(client, version, session.namespace, profile, footprint, wanted)
