"""The rules of the template language, checked on a template's text before anything is rendered.

An expression is a whole value: it stands alone after ``key:`` or ``-``, up to the end of its line, and YAML reads it as
a scalar of its own (not inside quotes, a block scalar or a longer text). Statements stand on lines of their own.
Nothing that captures or pulls in text is allowed: shared pieces are functions that return data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import yaml
from jinja2 import Environment, nodes

Problem = tuple[int, str]
"""1-based line, and what is wrong there."""

_WHOLE_VALUE = re.compile(r"\s*(?:- +)*(?:[\w./-]+:|\"[^\"]+\":|-) +\ue000\d+\ue000\s*")
MARK = "\ue000"
"""What every placeholder begins and ends with."""
PLACEHOLDER = re.compile(r"\ue000\d+\ue000")
"""What stands for an expression in the text that YAML reads."""
_STATEMENT = "\ue001"
_LINES = Environment(keep_trailing_newline=True, autoescape=False)  # noqa: S701 - reads text, renders none
_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.AssignBlock: "set without =",
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.ScopedEvalContextModifier: "autoescape",
}
_REFUSED_FILTERS = frozenset({"safe", "e", "escape", "forceescape", "tojson", "xmlattr", "random"})
_PADDING_FILTERS = frozenset({"center", "format", "indent"})
"""Filters that make a text of any length out of a number."""


def placeholder(number: int) -> str:
    """Return what stands for the ``number``-th expression in the text that YAML reads."""
    return f"\ue000{number}\ue000"


def problems(source: str, tree: nodes.Template) -> tuple[Problem, ...]:
    """Return what breaks the rules of the language, in line order.

    Args:
        source: the template's text.
        tree: the same, parsed.
    """
    skeleton = _skeleton(source)
    lines = list(_trimming(source)) or _line_problems(skeleton)
    return tuple(sorted({*_node_problems(tree), *(lines or _scalar_problems(skeleton))}))


def _skeleton(source: str) -> str:
    """Return the template's YAML, line by line: expressions as placeholders, statements as a mark, no comments."""
    parts: list[str] = []
    inside = ""
    for _, token, text in _LINES.lex(source):
        if token.endswith("_begin"):
            inside = token
            parts.append(_opened(token, len(parts)))
        if inside or token.endswith("_end"):
            parts.append("\n" * text.count("\n"))
        else:
            parts.append(text)
        if token.endswith("_end"):
            parts.append(_STATEMENT if token == "block_end" else "")  # noqa: S105 - a kind of token
        if token.endswith("_end") or token == "raw_begin":  # noqa: S105 - a kind of token
            inside = ""
    return "".join(parts)


def _trimming(source: str) -> Iterator[Problem]:
    """Yield the marks that join lines, so that what stands on a line in the text stands on it when rendered."""
    for line, token, text in _LINES.lex(source):
        if token.endswith(("_begin", "_end")) and set(text) & set("-+"):
            yield line, "the marks - and + beside braces are not part of the language"


def _opened(token: str, number: int) -> str:
    return {"variable_begin": placeholder(number), "block_begin": _STATEMENT}.get(token, "")


def _line_problems(skeleton: str) -> list[Problem]:
    return [(n, text) for n, line in enumerate(skeleton.split("\n"), start=1) for text in _line_problem(line)]


def _line_problem(line: str) -> Iterator[str]:
    if _STATEMENT in line and line.strip(f" \t{_STATEMENT}"):
        yield "a statement must stand on a line of its own"
    elif PLACEHOLDER.search(line) and not _WHOLE_VALUE.fullmatch(line) and not line.lstrip().startswith("#"):
        yield "an expression must be a whole value: `key: {{ … }}` or `- {{ … }}` up to the end of the line, unquoted"


def _scalar_problems(skeleton: str) -> Iterator[Problem]:
    """Yield expressions that YAML reads as a part of something longer, however it is spread over lines."""
    try:
        for token in yaml.scan(skeleton.replace(_STATEMENT, ""), Loader=yaml.CSafeLoader):
            if isinstance(token, yaml.ScalarToken) and not PLACEHOLDER.fullmatch(token.value):
                yield from ((line, _INSIDE) for line in _lines_of(skeleton, token.value))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        yield line, f"is no YAML: {error.problem}"
    except yaml.YAMLError as error:
        yield 0, f"is no YAML: {error}"


_INSIDE = "an expression inside a quoted text or a block scalar; build the text with json_text, ini_text or file()"


def _lines_of(skeleton: str, scalar: str) -> Iterable[int]:
    for found in PLACEHOLDER.finditer(scalar):
        yield skeleton[: skeleton.index(found.group())].count("\n") + 1


def _node_problems(tree: nodes.Template) -> Iterator[Problem]:
    kinds: tuple[type[nodes.Node], ...] = (*_REFUSED, nodes.Filter, nodes.For)
    for node in tree.find_all(kinds):
        if word := _REFUSED.get(type(node)):
            yield node.lineno, f"`{word}` is not part of the language; shared pieces are functions that return data"
        elif isinstance(node, nodes.Filter) and node.name in _REFUSED_FILTERS:
            yield node.lineno, f"the filter {node.name} is not part of the language: every value is placed as data"
        elif isinstance(node, nodes.Filter) and node.name in _PADDING_FILTERS:
            yield node.lineno, f"the filter {node.name} is not part of the language: it makes texts of any length"
        elif isinstance(node, nodes.For) and node.recursive:
            yield node.lineno, "`recursive` is not part of the language"
