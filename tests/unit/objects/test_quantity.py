"""Quantities, as apimachinery reads and people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aistack.objects.quantity import format_bytes, format_cpu, parse_quantity

READ = {
    "0": "0", "1": "1", "2.5": "2.5", ".5": "0.5", "5.": "5", "100m": "0.1", "1500m": "1.5", "1u": "0.000001",
    "1n": "0.000000001", "1k": "1000", "1M": "1000000", "1G": "1e9", "1T": "1e12", "1P": "1e15", "1E": "1e18",
    "1Ki": "1024", "128Mi": "134217728", "1Gi": "1073741824", "1Ti": "1099511627776", "1Pi": "1125899906842624",
    "1Ei": "1152921504606846976", "1e3": "1000", "1E3": "1000", "12e-1": "1.2", "1.5Gi": "1610612736",
}  # fmt: skip


@pytest.mark.parametrize(("text", "amount"), READ.items(), ids=READ)
def test_what_kubernetes_reads_is_read(text: str, amount: str) -> None:
    assert parse_quantity(text) == Decimal(amount)


def test_numbers_of_yaml_are_read() -> None:
    assert (parse_quantity(2), parse_quantity(0.5)) == (2, Decimal("0.5"))


@pytest.mark.parametrize(
    "text", ["", " 1", "1 Gi", "1gi", "1MB", "Gi", "-1", "1e", "1,5", "\u0661Gi", "1\n", "1e999", "0x10", "1Gi2"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity such as 500m or 2Gi"):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("cores", "text"), [("0", "0"), ("2", "2"), ("0.75", "750m"), ("1.5", "1500m"), ("0.0004", "1m")]
)
def test_cores_are_written_and_never_too_few(cores: str, text: str) -> None:
    assert format_cpu(Decimal(cores)) == text


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0Mi"), ("128Mi", "128Mi"), ("1024Mi", "1Gi"), ("1025Mi", "1025Mi"),
                         ("2Ti", "2Ti"), ("1G", "954Mi"), ("1", "1Mi")]
)  # fmt: skip
def test_bytes_are_written_and_never_too_few(amount: str, text: str) -> None:
    assert format_bytes(parse_quantity(amount)) == text
