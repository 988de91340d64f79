"""Metrics: where each component of a stack shows them, for the one that collects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aistack.catalog.models import Metrics, MetricsLogin
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import SecretPlanner, service_host


@dataclass(frozen=True)
class Scrape:
    """One place with metrics, and what opens it: keys of a Secret, all of them empty where anybody may look."""

    component: str
    workload: str
    host: str
    port: int
    path: str
    secret: str = ""
    token: str = ""
    username: str = ""
    password: str = ""


def scrapes(resolved: Mapping[str, Resolved], secrets: SecretPlanner) -> Iterator[Scrape]:
    """Yield where a stack's metrics are, by component.

    Args:
        resolved: the stack's components.
        secrets: knows the names of their Secrets.
    """
    for _, r in sorted(resolved.items()):
        yield from (_scrape(r, metrics, secrets) for metrics in r.component.spec.metrics)


def _scrape(r: Resolved, metrics: Metrics, secrets: SecretPlanner) -> Scrape:
    port = r.component.spec.workloads[metrics.workload].ports[metrics.port].port
    host = service_host(secrets.stack, secrets.namespace, r.name, metrics.workload)
    login = _login(r, metrics.login, secrets) if metrics.login else {}
    return Scrape(r.name, metrics.workload, host, port, metrics.path, **login)


def _login(r: Resolved, login: MetricsLogin, secrets: SecretPlanner) -> dict[str, str]:
    keys = {"token": login.token, "username": login.username, "password": login.password}
    return {"secret": secrets.own_name(r, login.secret)} | {field: key for field, key in keys.items() if key}
