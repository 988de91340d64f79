"""docs/rights.md: every right of the operator with the code that needs it, as a page to review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from aistack.controller.rights import Right, Scope
from tests.roles import catalog_rights

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rights.md"
INTRODUCTION = """\
<!-- Made by 'make generate' from operator/aistack/controller/rights.py and the catalog; don't edit. -->

# What the operator may do

The chart's roles grant exactly this, without wildcards and without `escalate` and `bind`: nobody may grant what he
doesn't hold, so the operator holds what the catalog's own Roles grant. `impersonate` is granted only where the values
`defaultServiceAccount` or `allowedServiceAccounts` name ServiceAccounts, and only for these names.

Where a stack has a ServiceAccount, the operator writes as that one, and reads the Secrets that the stack names as that
one; its own rights then serve to look. What such an account needs is the last table.
"""
TITLES = {
    Scope.SERVED: "In the namespaces that it serves (all, or those of `watchNamespaces`)",
    Scope.OWN: "In its own namespace",
    Scope.CLUSTER: "In the cluster, where it serves all namespaces",
    Scope.ACTING: "In the namespaces that it serves, on the ServiceAccounts that stacks may have, by name",
    Scope.STACK: "What a stack's ServiceAccount needs: the role `aistack-stack`",
}


def rights_page() -> tuple[Path, str]:
    """Return the page and its text."""
    sections = [_section(scope, [right for right in catalog_rights() if right.scope is scope]) for scope in Scope]
    return PAGE, "\n".join([INTRODUCTION, *sections])


def _section(scope: Scope, rights: Iterable[Right]) -> str:
    lines = [f"## {TITLES[scope]}\n", "| resource | verbs | needed by |", "|---|---|---|", *_rows(rights)]
    return "\n".join([*lines, ""])


def _rows(rights: Iterable[Right]) -> Iterator[str]:
    for (group, resource, why), same in groupby(sorted(rights, key=_place), key=_place):
        name = f"{resource}.{group}" if group else resource
        yield f"| {name} | {', '.join(right.verb for right in same)} | {why} |"


def _place(right: Right) -> tuple[str, str, str]:
    return right.group, right.resource, right.why
