"""What a model of the catalog must hold together: every name that it mentions is defined in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, NoReturn

import re2
from pydantic_core import PydanticCustomError

from aistack.api.component import Size

if TYPE_CHECKING:
    from aistack.catalog.models import ComponentSpec, Contract, Metrics, MetricsLogin, Page, Port, Provide

_QUIET = re2.Options()
_QUIET.log_errors = False  # it would write to standard error by itself
Path = tuple[str | int, ...]
Problem = tuple[Path, str]
"""Where, relative to the model, and what is wrong."""
SPELLED_OUT = "is a secret key, and this value is in the catalog for all to read; write {generate: {length: 32}}"


def refuse(problems: Iterable[Problem]) -> None:
    """Refuse a model for the first problem, if there is one.

    Raises:
        PydanticCustomError: with the problem's ``path`` in its context.
    """
    for path, problem in problems:
        _raise(path, problem)


def _raise(path: Path, problem: str) -> NoReturn:
    raise PydanticCustomError("reference", "{problem}", {"path": path, "problem": problem})


def parsable(text: str) -> str:
    """Return a recipe's text unless its braces don't match, or hold more than a name and ``:url``.

    Raises:
        ValueError: they don't, or do.
    """
    for _, name, style, conversion in Formatter().parse(text):
        if name is not None and (style not in ("", "url") or conversion):
            raise ValueError(f"{{{name}}} may be followed by :url and by nothing else")
    return text


def compilable(pattern: str) -> str:
    """Return a regular expression unless it isn't one of RE2, which takes no longer than its text is long.

    Kubernetes takes the same ones. Catalogs come from anybody, and texts from users.

    Raises:
        ValueError: it isn't.
    """
    try:
        re2.compile(pattern, _QUIET)
    except re2.error as error:
        words = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"is no regular expression of RE2: {words}") from None
    return pattern


def fields_of(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def is_spelled_out(value: object, keys: Collection[str]) -> bool:
    """Whether a recipe of a secret key is no secret: a text that takes nothing from another key."""
    return isinstance(value, str) and fields_of(value).isdisjoint(keys)


def every_size(sizes: Mapping[Size, object]) -> Mapping[Size, object]:
    """Return a table by size unless a size is missing.

    Raises:
        ValueError: one is.
    """
    if missing := [str(size) for size in Size if size not in sizes]:
        raise ValueError(f"says nothing of the size {', '.join(missing)}")
    return sizes


def component_problems(spec: ComponentSpec) -> Iterator[Problem]:
    """Yield the names in a component.yaml that lead nowhere."""
    for i, provide in enumerate(spec.provides):
        yield from _port_problems(spec, ("provides", i), provide.workload, provide.port)
    for i, page in enumerate(spec.pages):
        yield from _port_problems(spec, ("pages", i), page.workload, page.port)
        yield from _login_problems(spec, ("pages", i, "login"), page)
    if len(spec.pages) > 1:
        yield ("pages", 1), "is a second page; a page is found by its component's name, so that each has one at most"
    yield from _metrics_problems(spec)
    yield from _require_problems(spec)
    for i, provide in enumerate(spec.provides):
        yield from _reach_problems(spec, ("provides", i, "port"), provide)
        yield from _administrator_problems(spec, ("provides", i), provide)
    yield from _audience_problems(spec)
    yield from _volume_problems(spec)
    for role, workload in spec.workloads.items():
        for word in sorted(workload.switches.keys() - set(workload.egress)):
            yield ("workloads", role, "switches", word), f"the workload's egress has no {word!r} to switch"


def _port_problems(spec: ComponentSpec, path: Path, workload: str, port: str) -> Iterator[Problem]:
    if workload not in spec.workloads:
        yield (*path, "workload"), f"there is no workload {workload!r}"
    elif port not in spec.workloads[workload].ports:
        yield (*path, "port"), f"the workload {workload!r} has no port {port!r}"


def _port(spec: ComponentSpec, place: Provide | Metrics) -> Port | None:
    """Return the port where something is; None if it leads nowhere, which is told of its own."""
    workload = spec.workloads.get(place.workload)
    return workload.ports.get(place.port) if workload else None


def _reach_problems(spec: ComponentSpec, path: Path, provide: Provide) -> Iterator[Problem]:
    port = _port(spec, provide)
    if port and not (port.public or port.contract):
        yield path, f"the port {provide.port!r} doesn't admit consumers; write contract: {provide.contract} at the port"


def _administrator_problems(spec: ComponentSpec, path: Path, provide: Provide) -> Iterator[Problem]:
    if provide.admin_of is None:
        return
    owners = [p for p in spec.provides if p.contract == provide.admin_of and p.admin_of is None]
    if provide.admin:
        yield (*path, "admin"), "the administrator is that of adminOf; leave one of the two out"
    elif not owners:
        yield (*path, "adminOf"), f"it doesn't provide {provide.admin_of!r} with an administrator of its own"
    elif (owners[0].workload, owners[0].port) != (provide.workload, provide.port):
        yield (*path, "adminOf"), f"{provide.admin_of!r} is provided elsewhere; write its workload and port here"


def _login_problems(spec: ComponentSpec, path: Path, page: Page) -> Iterator[Problem]:
    login = page.login
    if login and login.secret and login.secret not in spec.secrets:
        yield (*path, "secret"), f"there is no secret {login.secret!r}"
    if login and login.provided and login.provided not in {p.contract for p in spec.provides}:
        yield (*path, "provided"), f"it doesn't provide {login.provided!r}"


def _metrics_problems(spec: ComponentSpec) -> Iterator[Problem]:
    for i, metrics in enumerate(spec.metrics):
        path: Path = ("metrics", i)
        yield from _port_problems(spec, path, metrics.workload, metrics.port)
        port = _port(spec, metrics)
        if port and not port.public:
            yield (*path, "port"), f"the port {metrics.port!r} lets nobody collect; write metrics: true at the port"
        if metrics.login and metrics.login.secret not in spec.secrets:
            yield (*path, "login", "secret"), f"there is no secret {metrics.login.secret!r}"
        elif metrics.login:
            yield from _key_problems(spec, (*path, "login"), metrics.login)


def _key_problems(spec: ComponentSpec, path: Path, login: MetricsLogin) -> Iterator[Problem]:
    if spec.secrets[login.secret].each:
        yield (*path, "secret"), f"the secret {login.secret!r} is one for each of several; metrics need one"
    for field in ("token", "username", "password"):
        key = getattr(login, field)
        if key is not None and key not in spec.secrets[login.secret].data:
            yield (*path, field), f"the secret {login.secret!r} has no key {key!r}"


def _require_problems(spec: ComponentSpec) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, require in enumerate(spec.requires):
        if require.edge in seen:
            yield ("requires", i), f"there are two shares named {require.edge!r}; give one another name"
        seen.add(require.edge)
        workload = spec.workloads.get(require.workload or "")
        if require.workload and not (workload and workload.spawned):
            yield ("requires", i, "workload"), f"there is no spawned workload {require.workload!r}"


def _audience_problems(spec: ComponentSpec) -> Iterator[Problem]:
    provided = {(p.workload, p.contract) for p in spec.provides}
    for role, workload in spec.workloads.items():
        for name, port in workload.ports.items():
            if port.contract and (role, port.contract) not in provided:
                yield ("workloads", role, "ports", name, "contract"), f"it doesn't provide {port.contract!r} here"
            if unknown := sorted(set(port.internal) - spec.workloads.keys()):
                yield ("workloads", role, "ports", name, "internal"), f"there is no workload {unknown[0]!r}"


def _volume_problems(spec: ComponentSpec) -> Iterator[Problem]:
    for role, workload in spec.workloads.items():
        if unknown := sorted(workload.volumes.keys() - spec.storage.keys()):
            yield ("workloads", role, "volumes", unknown[0]), f"there is no storage {unknown[0]!r}"
        elif workload.volumes and not workload.spawned:
            yield ("workloads", role, "volumes"), "only spawned pods have them here; templates make those of others"


def contract_problems(contract: Contract) -> Iterator[Problem]:
    """Yield the keys in a contract.yaml that lead nowhere."""
    for key, value in contract.share.items():
        if key not in contract.keys:
            yield ("share", key), "is no key of the binding"
        elif contract.keys[key].secret and is_spelled_out(value, contract.keys):
            yield ("share", key), SPELLED_OUT
    for variable, key in contract.env.items():
        if key not in contract.keys and key not in contract.derived:
            yield ("env", variable), f"names {key!r}, which is no key of the binding"
    for key, text in contract.derived.items():
        if unknown := sorted(fields_of(text) - contract.keys.keys()):
            yield ("derived", key), f"names {{{unknown[0]}}}, which is no key of the binding"
