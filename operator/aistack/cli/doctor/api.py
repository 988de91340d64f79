"""Checks of the API server: its version, our definitions, and what the user may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aistack.api.crd import DEFINITIONS, INSTALL_DEFINITIONS, Definition, missing_fields
from aistack.api.group import GROUP, PLURAL
from aistack.api.versions import Fit, judge_server
from aistack.cli.doctor.finding import Case, Finding, Mark, quoted
from aistack.objects.health import health_of
from aistack.objects.manifest import Manifest, ObjectRef

_API = "apiextensions.k8s.io/v1"
_MARKS = {Fit.TOO_OLD: Mark.FAIL, Fit.NEWER: Mark.WARN}
_RIGHTS = (("create", GROUP, PLURAL), ("patch", GROUP, PLURAL), ("get", "", "secrets"))
"""What ``apply`` and ``open`` need in the namespace."""


async def version(case: Case) -> Finding:
    """See that the API server is new enough."""
    return judge_version(case.version)


def judge_version(info: Mapping[str, Any]) -> Finding:
    """Judge what ``/version`` says."""
    found = judge_server(info)
    return Finding("Kubernetes", _MARKS.get(found.fit, Mark.OK), str(found), found.remedy)


async def definitions(case: Case) -> Finding:
    """See that the cluster knows our kinds, in this program's version."""
    refs = {d: ObjectRef(_API, "CustomResourceDefinition", "", d.name) for d in DEFINITIONS}
    replies = {d: await case.client.get(ref) for d, ref in refs.items()}
    return judge_definitions({d: None if r.status == 404 else r.result() for d, r in replies.items()})


def judge_definitions(found: Mapping[Definition, Manifest | None]) -> Finding:
    """Judge the definitions that are there."""
    if missing := [d.kind for d, live in found.items() if live is None]:
        return Finding("definitions", Mark.FAIL, f"the cluster doesn't know {quoted(missing)}", INSTALL_DEFINITIONS)
    if late := [d.kind for d, live in found.items() if not health_of(live).current]:
        return Finding("definitions", Mark.FAIL, f"{quoted(late)} isn't served", f"kubectl describe crd | grep {GROUP}")
    older = {field for d, live in found.items() if live for field in missing_fields(d, _newest(live))}
    if older:
        named = quoted(sorted(older, key=len)[:3])
        older_than = f"they are older than this program: {named} is missing"
        return Finding("definitions", Mark.FAIL, older_than, INSTALL_DEFINITIONS)
    return Finding("definitions", Mark.OK, quoted(d.kind for d in found))


def _newest(definition: Manifest) -> Mapping[str, Any]:
    """Return the schema of a definition's newest version."""
    schema: Mapping[str, Any] = definition["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]
    return schema


async def rights(case: Case) -> Finding:
    """See what the user may do in the namespace."""
    refused = [f"{right[0]} {right[2]}" for right in _RIGHTS if not await case.client.may(*right, case.namespace)]
    return judge_rights(case.namespace, refused)


def judge_rights(namespace: str, refused: Iterable[str]) -> Finding:
    """Judge what is refused."""
    if lacking := quoted(refused):
        remedy = "ask an administrator for a role with these rights"
        return Finding("your rights", Mark.WARN, f"you may not {lacking} in namespace {namespace}", remedy)
    return Finding("your rights", Mark.OK, f"you may make stacks in namespace {namespace} and read their logins")
