"""Rendering: Jinja2 in which an expression is a whole value and can't change a manifest's shape.

Where ``{{ expression }}`` stands, YAML reads a placeholder; the expression's value takes its place in the parsed
object. So no value, however hostile, is ever read as YAML. :mod:`~aistack.planning.language` has the rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml
from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    nodes,
    pass_context,
)
from jinja2.runtime import Context

from aistack.api.nulls import drop_nulls
from aistack.errors import CatalogError
from aistack.objects.manifest import Manifest, canonical
from aistack.objects.strict import StrictLoader
from aistack.planning.language import MARK, PLACEHOLDER, Problem, placeholder, problems
from aistack.planning.sandbox import Sandbox
from aistack.planning.shapes import misshapen

MAX_OBJECTS = 500
"""Most objects that one template file may make."""
MAX_TURNS = 20_000
"""Most turns of all loops of one template file together."""
_FAILURES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What an expression may raise."""
_PLAIN = frozenset({str, int, bool, type(None)})
"""Types of values that are JSON data as they are, and nobody's to change."""
_RENDER = "aistack_render"
_TURN = "aistack_turn"


class _Render:
    """One rendering: the values that expressions gave so far, and the turns that its loops took."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.turns = 0

    def keep(self, value: object) -> str:
        """Take a value, as plain JSON data of its own, and return its placeholder."""
        name = placeholder(len(self.values))
        plain = type(value) in _PLAIN
        self.values[name] = value if plain else json.loads(json.dumps(value, allow_nan=False, default=_refuse))
        return name

    def fill(self, parsed: Any) -> Any:
        """Return parsed YAML with the values in their places."""
        if isinstance(parsed, dict):
            return {self._whole(key): self.fill(item) for key, item in parsed.items()}
        if isinstance(parsed, list):
            return [self.fill(item) for item in parsed]
        if isinstance(parsed, str) and parsed in self.values:
            return self.values[parsed]
        return self._whole(parsed)

    def _whole(self, text: Any) -> Any:
        """Return a text of the template's own, in which no placeholder may stand."""
        if isinstance(text, str) and MARK in text and any(n in self.values for n in PLACEHOLDER.findall(text)):
            raise ValueError("an expression became a part of a longer text")
        return text


def _refuse(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError that names the variable
    raise TypeError(f"a {type(value).__name__} is no value for a manifest")


@pass_context
def _finalize(context: Context, value: object) -> str:
    return context[_RENDER].keep(value)  # type: ignore[no-any-return]


@pass_context
def _turn(context: Context) -> None:
    render = context[_RENDER]
    render.turns += 1
    if render.turns > MAX_TURNS:
        raise OverflowError(f"its loops take more than {MAX_TURNS} turns")


def _environment() -> Sandbox:
    environment = Sandbox(
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    for name in ("lipsum", "cycler", "joiner"):
        del environment.globals[name]
    environment.globals[_TURN] = _turn
    return environment


_ENVIRONMENT = _environment()


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template | tuple[Problem, ...]:
    """Compile a template in which each turn of a loop is counted, or say what is wrong with it."""
    try:
        tree = _ENVIRONMENT.parse(source)
        return problems(source, tree) or _ENVIRONMENT.from_string(_counted(tree))
    except TemplateSyntaxError as error:
        return ((error.lineno, f"is no valid template: {error.message}"),)


def _counted(tree: nodes.Template) -> nodes.Template:
    for loop in list(tree.find_all(nodes.For)):
        call = nodes.Call(nodes.Name(_TURN, "load"), [], [], None, None)
        loop.body.insert(0, nodes.ExprStmt(call).set_lineno(loop.lineno, override=True))
    return tree


def check_template(file: str, source: str) -> Iterator[CatalogError]:
    """Yield what breaks the rules of the language, with its line."""
    compiled = _compiled(source)
    if not isinstance(compiled, Template):
        yield from (CatalogError(file, problem, line) for line, problem in compiled)


def render_template(file: str, source: str, context: Mapping[str, Any]) -> list[Manifest]:
    """Render one template file to the objects it makes.

    Args:
        file: its name, for messages.
        source: its text.
        context: names that expressions may use.

    Raises:
        CatalogError: it breaks the rules of the language, an undefined name, an expression that fails, or text that is
            no manifest; with its line.
    """
    documents = _documents(file, source, context)
    if len(documents) > MAX_OBJECTS:
        raise CatalogError(file, f"renders to {len(documents)} objects, {MAX_OBJECTS} are allowed in one file")
    return [checked_manifest(file, document) for document in documents]


def render_values(file: str, source: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Render the template of a chart's values.

    Args:
        file: its name, for messages.
        source: its text.
        context: names that expressions may use.

    Raises:
        CatalogError: it breaks the rules of the language, or isn't one map; with its line.
    """
    documents = _documents(file, source, context)
    if not documents:
        return {}
    if len(documents) > 1 or not isinstance(documents[0], dict):
        raise CatalogError(file, "renders to something else than one map of values")
    return dict(documents[0])


def _documents(file: str, source: str, context: Mapping[str, Any]) -> list[Any]:
    """Return the documents of one template with the values in their places."""
    template = _compiled(source)
    if not isinstance(template, Template):
        line, problem = template[0]
        raise CatalogError(file, problem, line)
    render = _Render()
    documents = _parsed(file, _rendered(file, template, {**context, _RENDER: render}))
    try:
        return [render.fill(document) for document in documents]
    except ValueError as error:
        raise CatalogError(file, f"can't be rendered: {error}") from None


def _rendered(file: str, template: Template, context: Mapping[str, Any]) -> str:
    try:
        return template.render(context)
    except UndefinedError as error:
        raise CatalogError(file, f"uses something that is not defined: {error.message}", _line(error)) from None
    except CatalogError as error:
        raise CatalogError(file, f"{error.file} {error.problem}", _line(error)) from None
    except _FAILURES as error:
        raise CatalogError(file, f"can't be rendered: {error}", _line(error)) from None


@lru_cache(maxsize=64)
def _parsed(file: str, text: str) -> tuple[Any, ...]:
    """Parse what a template gave, in which placeholders stand for values: it is the same for many stacks.

    Whoever gets it must not change it.
    """
    try:
        return tuple(d for d in yaml.load_all(text, Loader=StrictLoader) if d is not None)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise CatalogError(file, f"renders to unparsable YAML: {error.problem} (line {line} of the result)") from None
    except (yaml.YAMLError, ValueError) as error:
        raise CatalogError(file, f"renders to unparsable YAML: {error}") from None


def _line(error: BaseException) -> int:
    """Find the template's line in the traceback; Jinja2 rewrites it to the template's own numbers."""
    trace, line = error.__traceback__, 0
    while trace:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def checked_manifest(file: str, document: Any) -> Manifest:
    """Return a document that is an object, without nulls.

    Args:
        file: of what it comes, for messages.
        document: plain data.

    Raises:
        CatalogError: it is no Kubernetes object, or not one that planning can read.
    """
    document = drop_nulls(document)  # as the API server does
    metadata = document.get("metadata") if isinstance(document, dict) else None
    if not isinstance(metadata, dict) or not all(_is_text(document.get(key)) for key in ("apiVersion", "kind")):
        raise CatalogError(file, "renders to a document that is no Kubernetes object (apiVersion, kind, metadata)")
    if not _is_text(metadata.get("name")):
        raise CatalogError(file, f"renders to a {document['kind']} without metadata.name")
    try:
        canonical(document)
    except TypeError as error:
        raise CatalogError(file, f"renders to a {document['kind']} that JSON can't hold: {error}") from None
    if problem := misshapen(document):
        raise CatalogError(file, f"renders to the {document['kind']} {metadata['name']}, whose {problem}")
    return dict(document)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
