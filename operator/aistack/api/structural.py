"""From pydantic models to a structural schema, the dialect of JSON Schema that CRDs are written in.

Structural schemas know no references, no ``null`` alternatives and no titles; descriptions come from the docstrings
under the models' fields.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from aistack.api.model import Observation
from aistack.api.rules import CEL_KEY

_NOISE = {"title", "additionalProperties", "default", "anyOf", "$ref", "$defs"}
"""Keywords that never appear as they are."""
_ORDER = {"description": 0, "type": 1, "format": 2, "enum": 3, "default": 4}
"""What a reader looks for first; the rest follows in its own order."""


def structural_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the structural schema of a model.

    Raises:
        TypeError: a field has no docstring, or a type that a structural schema can't express.
    """
    schema = model.model_json_schema(by_alias=True, schema_generator=_Documented)
    return _Flattener(schema.get("$defs", {})).flatten(schema)


def field_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings that stand under a model's fields, as one line each."""
    (class_def,) = ast.parse(dedent(inspect.getsource(model))).body
    body = class_def.body if isinstance(class_def, ast.ClassDef) else []
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


class _Documented(GenerateJsonSchema):
    """Pydantic's generator, with each field's docstring as its description."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        model: type[BaseModel] = schema["cls"]
        result, docs = super().model_schema(schema), field_docstrings(model)
        for name, info in model.model_fields.items():
            if name not in docs:
                raise TypeError(f"{model.__name__}.{name} has no docstring")
            field = result["properties"][info.alias or name]
            field["description"] = docs[name]
            if issubclass(model, Observation):
                field.pop("default", None)  # What nobody has observed yet isn't in the cluster.
        return result


class _Flattener:
    """Puts definitions in the place of references and drops what structural schemas don't know."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def flatten(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``node`` as a structural schema."""
        node = self._resolve(node)
        result = {key: value for key, value in node.items() if key not in _NOISE} | self._children(node)
        if "type" not in result and not result.get("x-kubernetes-preserve-unknown-fields"):
            raise TypeError(f"no structural type for {node}")
        if isinstance(default := node.get("default"), str | int) and default != "":
            result["default"] = default
        return dict(sorted(result.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER))))

    def _children(self, node: Mapping[str, Any]) -> dict[str, Any]:
        children: dict[str, Any] = {
            key: self.flatten(node[key]) for key in ("items", "additionalProperties") if isinstance(node.get(key), dict)
        }
        if "properties" in node:
            children["properties"] = {name: self.flatten(sub) for name, sub in node["properties"].items()}
        return children

    def _resolve(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Follow a reference or the one alternative that isn't null; what stands beside it wins, rules add up."""
        if "$ref" in node:
            inner = self._definitions[node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            inner = _only_option([option for option in node["anyOf"] if option.get("type") != "null"])
        else:
            return dict(node)
        inner = self._resolve(inner)
        rules = [*inner.get(CEL_KEY, []), *node.get(CEL_KEY, [])]
        return {**inner, **node, **({CEL_KEY: rules} if rules else {})} | {"$ref": None, "anyOf": None}


def _only_option(options: list[Any]) -> Any:
    if len(options) != 1:
        raise TypeError(f"a field has one type, or one and null; this has {options}")
    return options[0]
