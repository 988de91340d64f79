"""Licences by the names of SPDX, so that a bill of materials can be read by programs."""

from __future__ import annotations

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression


def licence_problem(licence: str) -> str:
    """Say what is wrong with the name of a licence, and what to write; empty if nothing is."""
    try:
        named = canonicalize_license_expression(licence)
    except InvalidLicenseExpression:
        return (
            f"{licence!r} is no expression of SPDX; write e.g. Apache-2.0 or MIT AND BSD-3-Clause (spdx.org/licenses), "
            "or LicenseRef-NAME where it has none"
        )
    return "" if named == licence else f"{licence!r} is written {named} by SPDX"
