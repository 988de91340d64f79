"""The CRD: structural, documented, bounded, and the file in crds/ is what the models say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, Field

from aistack.api.crd import DEFINITIONS, PIECES, STACKS, Definition, crd_manifest, crd_yaml
from aistack.api.structural import structural_schema

ROOT = Path(__file__).parents[3]


def schema_of(definition: Definition) -> Any:
    return crd_manifest(definition)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


SCHEMA = schema_of(STACKS)
UNKNOWN_TO_STRUCTURAL_SCHEMAS = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title", "const", "propertyNames"}


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema with its path."""
    yield path, schema
    for name, sub in schema.get("properties", {}).items():
        yield from nodes(sub, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}[]")


def all_nodes(part: str = "") -> list[Any]:
    """Every schema of every kind, or of one part of it."""
    found = [(d.kind, schema_of(d)["properties"][part] if part else schema_of(d)) for d in DEFINITIONS]
    return [pytest.param(n, id=f"{kind}{path or '.'}") for kind, schema in found for path, n in nodes(schema, part)]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind)
def test_the_file_is_what_the_models_say(definition: Definition) -> None:
    assert (ROOT / "crds" / definition.file).read_text() == crd_yaml(definition), "run: make generate"


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind)
def test_the_yaml_says_what_the_manifest_says(definition: Definition) -> None:
    assert yaml.safe_load(crd_yaml(definition)) == crd_manifest(definition)
    assert crd_manifest(definition)["metadata"]["name"] == definition.name


def test_pieces_are_the_cluster_s_and_all_else_a_namespace_s() -> None:
    scopes = {d: crd_manifest(d)["spec"]["scope"] for d in DEFINITIONS}
    assert {d.kind for d, scope in scopes.items() if scope == "Cluster"} == {PIECES.kind}


@pytest.mark.parametrize("node", all_nodes())
def test_every_part_is_structural(node: dict[str, Any]) -> None:
    assert not UNKNOWN_TO_STRUCTURAL_SCHEMAS & node.keys()
    assert isinstance(node.get("type"), str) or node["x-kubernetes-preserve-unknown-fields"], "any value, or of a type"
    assert "default" not in node or node["default"] is not None
    assert node.get("additionalProperties") is not False


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(node, id=path)
        for path, node in nodes(SCHEMA)
        if path and not path.endswith("[]") and path != ".metadata"
    ],
)
def test_every_field_teaches(node: dict[str, Any]) -> None:
    description = node["description"]

    assert description.endswith((".", "?"))
    assert "\n" not in description
    assert "``" not in description, "kubectl explain shows no markup"


@pytest.mark.parametrize("node", all_nodes("spec"))
def test_what_users_write_is_bounded_so_that_rules_stay_cheap(node: dict[str, Any]) -> None:
    bound = {"array": "maxItems", "string": "maxLength"}.get(node.get("type", ""))

    assert bound is None or bound in node or "enum" in node
    assert "additionalProperties" not in node or "maxProperties" in node


def test_a_fresh_object_is_never_done_by_kstatus() -> None:
    assert SCHEMA["properties"]["status"]["default"] == {"observedGeneration": -1}


def test_columns_show_what_a_user_looks_for_within_eighty_characters() -> None:
    columns = crd_manifest(STACKS)["spec"]["versions"][0]["additionalPrinterColumns"]

    assert [c["name"] for c in columns if not c.get("priority")] == ["Ready", "Components", "Profile", "Age", "Message"]


def test_deleting_all_never_deletes_stacks() -> None:
    assert "all" not in crd_manifest(STACKS)["spec"]["names"]["categories"]


class Undocumented(BaseModel):
    size: str


class Ambiguous(BaseModel):
    size: str | int
    """Two types."""


class Shapeless(BaseModel):
    size: Any
    """No type."""


class Documented(BaseModel):
    size: Annotated[str, Field(max_length=3)] | None = None
    """A size
    in two lines."""


@pytest.mark.parametrize(
    ("model", "error"),
    [
        pytest.param(Undocumented, "size has no docstring", id="field-without-docstring"),
        pytest.param(Ambiguous, "one type", id="two-types"),
        pytest.param(Shapeless, "no structural type", id="no-type"),
    ],
)
def test_models_that_no_structural_schema_can_express_are_refused(model: type[BaseModel], error: str) -> None:
    with pytest.raises(TypeError, match=error):
        structural_schema(model)


def test_optional_fields_have_one_type_and_no_default() -> None:
    expected = {"description": "A size in two lines.", "type": "string", "maxLength": 3}

    assert structural_schema(Documented)["properties"] == {"size": expected}
