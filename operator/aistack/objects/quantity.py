"""Kubernetes quantities: ``500m``, ``1Gi``. Source: apimachinery ``pkg/api/resource``."""

from __future__ import annotations

import re
from decimal import Decimal
from math import ceil

_SUFFIX = r"(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([-+]?[0-9]{1,2})"
_QUANTITY = re.compile(rf"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:{_SUFFIX})?", re.ASCII)
_FACTORS: dict[str, Decimal] = {
    **{suffix: Decimal(1000) ** -power for power, suffix in enumerate("mun", start=1)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


def parse_quantity(text: str | int | float) -> Decimal:
    """Return a quantity in its base unit (cores, bytes).

    Raises:
        ValueError: the text is no quantity.
    """
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is no quantity such as 500m or 2Gi")
    number, suffix, exponent = match.groups()
    return Decimal(number) * (_FACTORS[suffix] if suffix else Decimal(10) ** int(exponent or 0))


def format_cpu(cores: Decimal) -> str:
    """Write cores as people do, rounded up to thousandths: ``2``, ``750m``."""
    return str(int(cores)) if cores == cores.to_integral_value() else f"{ceil(cores * 1000)}m"


def format_bytes(amount: Decimal) -> str:
    """Write bytes, rounded up to ``Mi``, with the largest binary unit that keeps them whole."""
    mebi = ceil(amount / _FACTORS["Mi"])
    for unit, size in (("Ti", 1024 * 1024), ("Gi", 1024)):
        if mebi and mebi % size == 0:
            return f"{mebi // size}{unit}"
    return f"{mebi}Mi"
