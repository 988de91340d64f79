"""Accounts: as which ServiceAccount a stack's objects are made, and which of them a stack may name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aistack.api.spec import AIStack
from aistack.errors import SpecError


@dataclass(frozen=True)
class Accounts:
    """What the operator was told of the ServiceAccounts that it acts as.

    Args:
        default: for stacks that name none; empty: the operator acts as itself then.
        allowed: names that stacks may use besides the default one. Where neither is given, any: naming one can only
            take rights away then, as far as the API server lets the operator act as it.
    """

    default: str = ""
    allowed: tuple[str, ...] = ()

    def of(self, stack: AIStack) -> str:
        """Return the name of a stack's account; empty for the operator itself.

        Raises:
            SpecError: it names one that it may not.
        """
        named = stack.spec.service_account_name
        if named is None:
            return self.default
        known = list(filter(None, dict.fromkeys([self.default, *self.allowed])))
        if known and named not in known:
            raise SpecError("spec.serviceAccountName", f"{named!r} is no account of stacks here", _remedy(known))
        return named


def _remedy(known: Iterable[str]) -> str:
    chart = "have whoever installed the operator add it to the chart's value allowedServiceAccounts"
    return f"leave the field out, write {' or '.join(known)}, or {chart}"
