"""Pages of components: where they are in a cluster, and the login that opens them."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aistack.api.labels import COMPONENT, STACK, selector, selector_labels
from aistack.api.names import object_name
from aistack.api.parse import suggest
from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog, Login, Page
from aistack.cluster.client import Client
from aistack.errors import InvalidError, NotReadyError
from aistack.objects.manifest import ObjectKind, ObjectRef
from aistack.planning.exposure import address_of
from aistack.planning.resolve import Resolved, resolve

SECRET = ObjectKind("v1", "Secret")
POD = ObjectKind("v1", "Pod")


@dataclass(frozen=True)
class Credentials:
    """A page's login; empty where it has none."""

    username: str = ""
    password: str = ""


@dataclass(frozen=True)
class PagePlace:
    """One page of one stack."""

    stack: AIStack
    resolved: Resolved
    page: Page

    @property
    def port(self) -> int:
        """The port of its pods and its Service."""
        return self.resolved.component.spec.workloads[self.page.workload].ports[self.page.port].port

    @property
    def service(self) -> str:
        """Name of its Service; that of the workload ``server`` has no suffix."""
        role = "" if self.page.workload == "server" else self.page.workload
        return object_name(self.stack.name, self.resolved.name, role)

    @property
    def url(self) -> str:
        """Where spec.expose puts it; empty if it doesn't."""
        address = address_of(self.stack, self.resolved)
        return address.url if address else ""

    @property
    def login_base(self) -> str:
        """Name, without its generation, of the Secret that holds the login; empty if the page has none."""
        return _login_base(self.stack.name, self.resolved, self.page.login) if self.page.login else ""


def find_page(stack: AIStack, catalog: Catalog, component: str) -> PagePlace:
    """Find a component's page.

    Raises:
        InvalidError: the stack has no such component, or that one has no page.
    """
    resolved = resolve(stack, catalog)
    with_pages = [name for name, r in resolved.items() if r.component.spec.pages]
    if component not in resolved:
        raise InvalidError(f"{stack.name} has no component {component!r}; {suggest(component, resolved)}")
    if component not in with_pages:
        raise InvalidError(f"{component} has no page; choose one of: {', '.join(with_pages) or 'none has one'}")
    return PagePlace(stack, resolved[component], resolved[component].component.spec.pages[0])


async def read_credentials(client: Client, place: PagePlace) -> Credentials:
    """Read a page's login from the newest generation of its Secret.

    Raises:
        NotReadyError: the Secret isn't there yet.
        ClusterError: it can't be read.
    """
    login = place.page.login
    if login is None:
        return Credentials()
    namespace, base = place.stack.namespace, place.login_base
    selector = f"{STACK}={place.stack.name},{COMPONENT}={place.resolved.name}"
    reply = await client.list(SECRET, namespace, metadata=True, labelSelector=selector)
    names = [item["metadata"]["name"] for item in reply.result()["items"] or ()]
    newest = newest_generation(base, names)
    if newest is None:
        raise NotReadyError(f"the login of {place.resolved.name} isn't made yet: no Secret {base}-1 in {namespace}")
    secret = (await client.get(ObjectRef("v1", "Secret", namespace, newest))).result()
    return Credentials(_text(secret, login.username), _text(secret, login.password))


def newest_generation(base: str, names: list[str]) -> str | None:
    """Return the newest generation of a Secret among the names of all."""
    generations = {
        int(m.group(1)): m.group() for name in names if (m := re.fullmatch(rf"{re.escape(base)}-(\d+)", name))
    }
    return generations[max(generations)] if generations else None


async def find_pod(client: Client, place: PagePlace, wait: str) -> ObjectRef:
    """Find a ready pod that serves a page; ``wait`` is the command that waits for its stack.

    Raises:
        NotReadyError: there is none; the message says what its component waits for.
        ClusterError: pods can't be listed.
    """
    labels = selector_labels(place.stack.name, place.resolved.name, place.page.workload)
    reply = await client.list(POD, place.stack.namespace, labelSelector=selector(labels))
    ready = [pod["metadata"]["name"] for pod in reply.result()["items"] or () if _ready(pod)]
    if not ready:
        raise NotReadyError(f"no pod of {place.resolved.name} is ready{_reason(place)}; {wait}")
    return ObjectRef("v1", "Pod", place.stack.namespace, sorted(ready)[0])


def _reason(place: PagePlace) -> str:
    status = next((c for c in place.stack.status.components if c.name == place.resolved.name), None)
    return f": {status.message}" if status and status.message else ""


def _login_base(stack: str, r: Resolved, login: Login) -> str:
    if login.provided:
        return object_name(stack, r.name, r.component.spec.administrator(login.provided).contract, "admin")
    spec = r.component.spec.secrets[login.secret or ""]
    items = r.values.get(spec.each, ()) if spec.each else ()
    return object_name(stack, r.name, login.secret or "", str(items[0]) if items else "")


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _text(secret: Mapping[str, Any], key: str) -> str:
    return b64decode(secret.get("data", {}).get(key, "")).decode()
