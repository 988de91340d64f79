"""Machine-readable output: YAML that people like to read, and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer


class OutputFormat(StrEnum):
    """How to print a result."""

    JSON = "json"
    YAML = "yaml"


Output = Annotated[
    OutputFormat | None,
    typer.Option("--output", "-o", help="Print it for programs: json or yaml.", show_default=False),
]

FormatOfObjects = Annotated[OutputFormat, typer.Option("--output", "-o", help="json or yaml.")]
"""Where the result is Kubernetes objects, which have no other form."""


def print_data(data: Any, form: OutputFormat) -> None:
    """Print one piece of data."""
    typer.echo(_json(data) if form is OutputFormat.JSON else yaml_text([data]), nl=form is OutputFormat.JSON)


def print_objects(objects: Iterable[dict[str, Any]], form: OutputFormat) -> None:
    """Print Kubernetes objects: documents of YAML, or a List in JSON, as kubectl takes them."""
    if form is OutputFormat.JSON:
        typer.echo(_json({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    else:
        typer.echo(yaml_text(objects), nl=False)


def yaml_text(documents: Iterable[Any]) -> str:
    """Write documents as YAML: keys in their order, texts of several lines as blocks, no aliases."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return "---\n".join(yaml.dump(d, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120) for d in documents)


def _json(data: Any) -> str:
    import orjson

    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()
