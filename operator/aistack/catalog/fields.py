"""Fields of the catalog's models: names, keys, quantities, and the recipes of Secrets' keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from aistack.api.names import MAX_CATALOG_NAME
from aistack.catalog.references import parsable

Name = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=MAX_CATALOG_NAME)]
Key = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
Repository = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$")]


class StrictModel(BaseModel):
    """A model that knows all its fields and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GenerateSpec(StrictModel):
    """A random value: ``length`` characters of an alphabet, after an optional fixed prefix."""

    length: int = Field(ge=8, le=256)
    alphabet: Literal["alphanumeric", "hex", "upper"] = "alphanumeric"
    prefix: str = ""


class GeneratedValue(StrictModel):
    """``{generate: {length: 32}}``."""

    generate: GenerateSpec


Text = Annotated[str, AfterValidator(parsable)]
Value = Annotated[
    Annotated[GeneratedValue, Tag("generated")] | Annotated[Text, Tag("text")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "generated"),
]
"""A Secret key's recipe: a generated value or a text.

A text may name other keys of the same Secret as ``{key}`` (or ``{key:url}``, percent-encoded) and the plan's words
``{stack}``, ``{namespace}``, ``{component}``, ``{share}`` (``<stack>-<consumer>``), ``{share_}`` (with ``_``),
``{generation}``, and ``{item}`` in a Secret with ``each``.
"""
