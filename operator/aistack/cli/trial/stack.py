"""The trial's stack: applied, awaited, and how to get in."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from aistack.api.parse import parse_stack
from aistack.api.spec import AIStack
from aistack.api.status import Footprint
from aistack.catalog.models import Catalog
from aistack.cli.doctor.examine import BEFORE_INSTALLING, examine
from aistack.cli.doctor.finding import Mark
from aistack.cli.exits import ExitCode
from aistack.cli.pages import find_page, read_credentials
from aistack.cli.present.stack import footprint_line
from aistack.cli.session import Session
from aistack.cli.stacks import Stacks
from aistack.cli.trial.place import Place
from aistack.cli.trial.steps import Steps
from aistack.cli.waiting import Goal, wait_for
from aistack.cluster.client import Client
from aistack.errors import ClusterError, NotReadyError
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.rendering import plan_new

PROVE_ESTIMATE = "about 2 min until every connection has done real work"
_LEVEL = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Labels of a namespace that a trial makes: the API server itself sees to it."""


@dataclass(frozen=True)
class Trial:
    """One stack to try: as it is sent (it names its namespace), as understood, and what it asks of the cluster."""

    manifest: Manifest
    stack: AIStack
    catalog: Catalog
    footprint: Footprint

    @classmethod
    def of(cls, manifest: Manifest, catalog: Catalog) -> Trial:
        """Understand and plan a stack, before anything is made.

        Raises:
            InvalidError: it is wrong, or can't be planned.
        """
        stack = parse_stack(manifest)
        return cls(manifest, stack, catalog, plan_new(stack, catalog).footprint)

    @property
    def profile(self) -> str:
        """The profile that it is of."""
        return self.stack.spec.profile or ""

    async def examine(self, place: Place, steps: Steps) -> None:
        """See that the cluster has what an installation can't bring along, unless the stack is there already.

        Raises:
            NotReadyError: a stack won't work there.
        """
        async with place.session.client() as client:
            stacks = Stacks(client, place.session.command)
            if await find_stack(stacks, self.stack.namespace, self.stack.name) is not None:
                return
        found = await examine(place.session, self.profile, BEFORE_INSTALLING)
        # Elsewhere than in kind, nodes may be added by themselves once pods ask for them.
        fatal = [f for f in found if f.mark is Mark.FAIL and (place.kind is not None or f.check != "room")]
        for finding in (f for f in found if f.mark in (Mark.WARN, Mark.FAIL) and f not in fatal):
            steps.say(f"{finding.check}: {finding.text}")
        if fatal:
            told = "; ".join(f"{finding.check}: {finding.text}" for finding in fatal)
            raise NotReadyError(f"a stack won't work in this cluster yet: {told}")

    async def bring(self, place: Place, steps: Steps, seconds: float) -> ExitCode:
        """Apply the stack, wait until it is proven, and tell how to get in.

        Raises:
            AIStackError: it is refused.
        """
        session, stack = place.session, self.stack
        async with session.client() as client:
            stacks = Stacks(client, session.command)
            with steps.step(f"{stack.name} in {stack.namespace}: profile {self.profile}", PROVE_ESTIMATE):
                await self._namespace(client)
                await stacks.apply(self.manifest)
                steps.say(footprint_line(self.footprint))
                code, last = await wait_for(
                    stacks, stack.namespace, stack.name, Goal.PROVEN, seconds, session.console()
                )
            if code is ExitCode.OK and last is not None:
                await self._tell_ways_in(client, session, steps, last)
        return code

    async def _namespace(self, client: Client) -> None:
        name = self.stack.namespace
        if (await client.get(ObjectRef("v1", "Namespace", "", name))).status == 404:
            metadata = {"name": name, "labels": _LEVEL}
            (await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})).result()

    async def _tell_ways_in(self, client: Client, session: Session, steps: Steps, stack: AIStack) -> None:
        command, ways = session.commands(stack.namespace), []
        for component in (c.name for c in stack.status.components if c.url):
            place = find_page(stack, self.catalog, component)
            login = await read_credentials(client, place)
            # A log keeps what it is told: passwords are for terminals, and for those who ask.
            known = f"{login.username} / {login.password}" if sys.stdout.isatty() else "in your browser, with its login"
            ways.append((command(f"open {component}"), f"{place.page.title}: {known}"))
        ways.append((command(f"status {stack.name}"), "components and connections"))
        ways.append((command("prove"), "every connection again, now"))
        steps.console.print(f"\n{stack.name} is up, and every connection has done real work ({steps.elapsed}).\n")
        width = max(len(words) for words, _ in ways)
        for words, about in ways:
            steps.console.print(f"  {words:<{width}}  {about}", markup=False)


async def find_stack(stacks: Stacks, namespace: str, name: str) -> Manifest | None:
    """Read a stack; None where there is none, or where AIStacks aren't even known.

    Raises:
        ClusterError: it can't be read.
    """
    try:
        return await stacks.find(namespace, name)
    except ClusterError as error:
        if error.status != 404:
            raise
        return None
