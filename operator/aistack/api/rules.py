"""Rules that hold in Python and in the cluster alike, each declared once.

A rule is written next to the type it restricts (``Annotated[str, matches(...)]``). Pydantic checks it when a stack is
parsed, and the CRD carries it as a CEL expression, so that ``kubectl apply`` refuses with the same words. Rules that
compare with the stored object exist only in the cluster, which alone knows it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

RULE_ERROR = "rule"
CEL_KEY = "x-kubernetes-validations"


@dataclass(frozen=True)
class Rule:
    """One validation rule.

    Args:
        cel: the expression that the API server evaluates; ``self`` and ``oldSelf`` as in Kubernetes' documentation.
            Empty where the API server checks it by itself.
        problem: what is wrong when it doesn't hold.
        remedy: what to write instead.
        holds: the same check in Python; None where the stored object is needed.
        field_path: the field to blame, relative to the object that the rule is on, e.g. ``.storage.className``.
        culprit: finds the part that breaks the rule, where the field doesn't say which; Python alone names it.
    """

    cel: str
    problem: str
    remedy: str
    holds: Callable[[Any], bool] | None = None
    field_path: str = ""
    culprit: Callable[[Any], str] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Check the rule after the type's own validation."""
        schema = handler(source)
        return core_schema.no_info_after_validator_function(self._check, schema) if self.holds else schema

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the rule to the type's schema."""
        inner = handler(schema)
        if not self.cel:
            return inner
        return {**inner, CEL_KEY: [*inner.get(CEL_KEY, []), self._as_cel()]}

    def _check(self, value: Any) -> Any:
        if self.holds and not self.holds(value):
            problem = f"{self.problem}: {self.culprit(value)!r}" if self.culprit else self.problem
            raise PydanticCustomError(RULE_ERROR, "{problem}", {"problem": problem, "remedy": self.remedy})
        return value

    def _as_cel(self) -> dict[str, str]:
        rule = {"rule": self.cel, "message": f"{self.problem}; {self.remedy}"}
        return rule | ({"fieldPath": self.field_path} if self.field_path else {})


def matches(pattern: str, problem: str, remedy: str) -> Rule:
    """Require a text to match ``pattern`` as a whole; written so that RE2 and Python read it alike."""
    compiled = re.compile(pattern)
    return Rule(f"self.matches('^(?:{pattern})$')", problem, remedy, lambda text: bool(compiled.fullmatch(text)))


def keys_match(pattern: str, problem: str, remedy: str) -> Rule:
    """Require every key of a map to match ``pattern`` as a whole."""
    compiled = re.compile(pattern)
    cel = f"self.all(key, key.matches('^(?:{pattern})$'))"
    return _of_keys(cel, problem, remedy, lambda key: not compiled.fullmatch(key))


def keys_avoid(prefixes: tuple[str, ...], problem: str, remedy: str) -> Rule:
    """Refuse keys of a map under one of ``prefixes``, e.g. ``example.com/``, or under a subdomain of it."""
    cel = " || ".join(f"key.startsWith('{prefix}') || key.contains('.{prefix}')" for prefix in prefixes)
    return _of_keys(
        f"!self.exists(key, {cel})", problem, remedy, lambda key: any(f".{prefix}" in f".{key}" for prefix in prefixes)
    )


def _of_keys(cel: str, problem: str, remedy: str, wrong: Callable[[str], bool]) -> Rule:
    return Rule(
        cel, problem, remedy, lambda keys: not any(map(wrong, keys)), culprit=lambda keys: next(filter(wrong, keys))
    )


UNIQUE_NAMES = Rule(
    "",
    "names the same entry twice",
    "merge entries of one name",
    lambda entries: len({entry.name for entry in entries}) == len(entries),
    culprit=lambda entries: Counter(entry.name for entry in entries).most_common(1)[0][0],
)
"""Names in a map-list are unique; the API server checks it because the list is one."""
