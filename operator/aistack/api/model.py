"""Base of the API's models: camelCase in YAML, snake_case in Python, immutable."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A part that users write: a field we don't know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Observation(BaseModel):
    """A part that we write: what another version of the operator added is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


def map_list(*keys: str) -> dict[str, JsonValue]:
    """Mark a list as a map by ``keys``, so that appliers own single entries and the cluster refuses duplicates."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
