"""Reads stacks from files and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aistack.api.parse import parse_stack
from aistack.api.spec import AIStack
from aistack.errors import InvalidError, SpecError
from aistack.objects.manifest import Manifest

STDIN = "-"


@dataclass(frozen=True)
class StackDocument:
    """One AIStack of a file: as written (with its namespace), and as understood."""

    manifest: Manifest
    stack: AIStack


def read_stacks(file: str, namespace: str, given: bool) -> list[StackDocument]:
    """Read all AIStacks of a file.

    Args:
        file: path, or ``-`` for standard input.
        namespace: of stacks that name none.
        given: whether the user asked for that namespace; one that names another is then refused, as by kubectl.

    Raises:
        InvalidError: the file can't be read or parsed, or holds no stack.
        SpecError: a field is wrong.
    """
    documents = list(_documents(file))
    if not documents:
        raise InvalidError(f"{_title(file)}: holds no AIStack; write one, e.g. with spec: {{profile: starter}}")
    return [_stack(file, number, d, namespace, given) for number, d in enumerate(documents, start=1)]


def _documents(file: str) -> Iterator[Any]:
    try:
        text = sys.stdin.read() if file == STDIN else Path(file).read_text("utf-8")
        yield from (d for d in yaml.load_all(text, Loader=yaml.CSafeLoader) if d is not None)
    except OSError as error:
        raise InvalidError(f"{file}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidError(f"{_title(file)}: is no text in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidError(f"{_title(file)}{line}: can't be parsed: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InvalidError(f"{_title(file)}: can't be parsed: {error}") from None


def _stack(file: str, number: int, document: Any, namespace: str, given: bool) -> StackDocument:
    if not isinstance(document, Mapping) or not isinstance(document.get("metadata"), Mapping):
        where = f"{_title(file)}, document {number}"
        raise InvalidError(f"{where}: is no Kubernetes object; write apiVersion, kind, metadata and spec")
    metadata = document["metadata"]
    own = metadata.get("namespace")
    if own and given and own != namespace:
        raise SpecError("metadata.namespace", f"is {own!r}, and -n asks for {namespace!r}", "leave out one of them")
    manifest = {**document, "metadata": {**metadata, "namespace": own or namespace}}
    manifest.pop("status", None)
    return StackDocument(manifest, parse_stack(manifest))


def _title(file: str) -> str:
    return "standard input" if file == STDIN else file
