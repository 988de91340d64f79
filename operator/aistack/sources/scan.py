"""Looks through a chart's templates without rendering them: for what is refused, and for what may differ each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml

from aistack.catalog.charts import ChartFacts
from aistack.errors import CatalogError
from aistack.objects.strict import StrictLoader
from aistack.sources.chartfiles import ChartError, ChartFiles

_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_TEXT = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])'", re.DOTALL)
"""Comments and texts, in which a word calls nothing."""
_LOOKUP = re.compile(r"(?<![\w.$])lookup\b(?!\s*:?=)")
_BY_CHANCE = re.compile(
    r"(?<![\w.$])(?:now|ago|rand\w+|gen[A-Z]\w+|uuidv4|shuffle|bcrypt|htpasswd|encryptAES|keys|values|getHostByName"
    r"|env|expandenv)\b"
)
"""Functions whose result differs from call to call, or comes in an order that does."""
_ELSEWHERE = re.compile(r'"(?:\$|\\u0024)ref"\s*:\s*"([^#"][^"]*)"')
_TEST_HOOK = re.compile(r"helm\.sh/hook[\"']?:\s*[\"']?[\w,\s-]*\btest")


def facts_of(files: ChartFiles) -> ChartFacts:
    """Return what is told of a chart.

    Raises:
        ChartError: its Chart.yaml can't be read.
    """
    try:
        about: Any = yaml.load(files["Chart.yaml"], Loader=StrictLoader)  # noqa: S506 - a safe loader that is stricter
    except (yaml.YAMLError, ValueError) as error:
        raise ChartError(f"Chart.yaml can't be parsed: {error}") from None
    if not isinstance(about, dict) or not all(isinstance(about.get(key), str) for key in ("name", "version")):
        raise ChartError("Chart.yaml says neither name nor version")
    return ChartFacts(
        name=about["name"],
        version=about["version"],
        definitions=tuple(path for path in files if _is_definition(path)),
        tests=tuple(path for path, text in _templates(files) if _TEST_HOOK.search(text)),
    )


def lookups(files: ChartFiles, chart: str) -> Iterator[CatalogError]:
    """Yield where templates ask a cluster: what is rendered would depend on what runs.

    Args:
        files: the chart's.
        chart: what it is called in messages.
    """
    for path, text in _templates(files):
        for line in _calls(text, _LOOKUP):
            problem = "calls lookup, and a chart is rendered without a cluster; leave the file out: chart.without"
            yield CatalogError(f"{chart}/{path}", problem, line)


def references(files: ChartFiles, chart: str) -> Iterator[CatalogError]:
    """Yield where schemas of values refer to something else than themselves: helm would read, or ask for, that.

    Args:
        files: the chart's.
        chart: what it is called in messages.
    """
    for path, content in files.items():
        if PurePosixPath(path).name == "values.schema.json":
            text = _text(content)
            for found in _ELSEWHERE.finditer(text):
                problem = f"refers to {found[1]!r:.80}, outside of itself; leave the file out: chart.without"
                yield CatalogError(f"{chart}/{path}", problem, text.count("\n", 0, found.start()) + 1)


def may_differ(files: ChartFiles) -> bool:
    """Whether something in the templates, or in the values that they may run as such, may give another result."""
    values = (_text(content) for path, content in files.items() if PurePosixPath(path).name == "values.yaml")
    return any(map(calls_by_chance, (*(text for _, text in _templates(files)), *values)))


def calls_by_chance(text: str) -> bool:
    """Whether a text, run as a template, may give another result each time."""
    return next(_calls(text, _BY_CHANCE), 0) > 0


def _templates(files: ChartFiles) -> Iterator[tuple[str, str]]:
    for path, content in files.items():
        if "templates" in PurePosixPath(path).parts[:-1]:
            yield path, _text(content)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _is_definition(path: str) -> bool:
    return "crds" in PurePosixPath(path).parts[:-1] and path.endswith((".yaml", ".yml", ".json"))


def _calls(text: str, word: re.Pattern[str]) -> Iterator[int]:
    """Yield the lines in which templates' actions use a word as a function."""
    for action in _ACTION.finditer(text):
        code = _TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), action.group())
        for found in word.finditer(code):
            yield text.count("\n", 0, action.start() + found.start()) + 1
