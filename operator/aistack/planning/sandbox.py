"""The sandbox of templates: beside what Jinja2 forbids, no expression makes much out of little."""

from __future__ import annotations

from typing import Any

from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MAX_NUMBER = 2**63
_PADDING = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"})
"""Methods that make a text of any length out of a number."""


class Sandbox(SandboxedEnvironment):
    """A sandbox in which numbers can't be multiplied without bound, and texts neither multiplied nor padded."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers.

        Raises:
            TypeError: it isn't arithmetic.
            OverflowError: the result is too large.
        """
        if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
            raise TypeError(f"{operator} is not part of the language but for numbers' * and %")
        if operator == "%":
            return left % right
        if abs(product := left * right) >= MAX_NUMBER:
            raise OverflowError("the product is too large")
        return product

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether an expression may use an attribute."""
        return super().is_safe_attribute(obj, attr, value) and not (isinstance(obj, str) and attr in _PADDING)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``format`` to :meth:`is_safe_attribute`: a sandboxed one still pads."""
