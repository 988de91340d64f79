"""Reads stacks from files and standard input, and plans them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aistack.api.group import API_VERSION, KIND
from aistack.api.parse import parse_stack
from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog
from aistack.errors import InvalidError, SpecError
from aistack.objects.manifest import Manifest
from aistack.objects.strict import StrictLoader
from aistack.planning.plan import Planned
from aistack.rendering import plan_new

STDIN = "-"
_NAMESPACE = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class StackDocument:
    """One AIStack of a file: as written (with its namespace), and as understood.

    ``place`` names it among others of the file; empty if it is alone.
    """

    manifest: Manifest
    stack: AIStack
    place: str = ""

    def plan(self, catalog: Catalog) -> Planned:
        """Plan it for a first installation.

        Raises:
            InvalidError: it or the catalog is wrong.
        """
        with placed(self.place):
            return plan_new(self.stack, catalog)


def read_stacks(file: str, namespace: str, given: bool) -> list[StackDocument]:
    """Read all AIStacks of a file.

    Args:
        file: path, or ``-`` for standard input.
        namespace: of stacks that name none.
        given: whether the user asked for that namespace; one that names another is then refused, as by kubectl.

    Raises:
        InvalidError: the file can't be read or parsed, holds no stack or one of them twice, or a field is wrong.
    """
    documents = list(_documents(file))
    if not documents:
        raise InvalidError(f"{_title(file)}: holds no AIStack; write one, e.g. with spec: {{profile: starter}}")
    alone = len(documents) == 1
    places = ["" if alone else _place(file, number, d) for number, d in enumerate(documents, start=1)]
    found = [_stack(file, d, place, namespace, given) for d, place in zip(documents, places, strict=True)]
    _refuse_doubles(found)
    return found


def _documents(file: str) -> Iterator[Any]:
    try:
        text = sys.stdin.read() if file == STDIN else Path(file).read_text("utf-8")
        yield from (d for d in yaml.load_all(text, Loader=StrictLoader) if d is not None)
    except OSError as error:
        raise InvalidError(f"{file}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidError(f"{_title(file)}: is no text in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidError(f"{_title(file)}{line}: can't be parsed: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:  # e.g. a date that doesn't exist
        raise InvalidError(f"{_title(file)}: can't be parsed: {error}") from None


def _stack(file: str, document: Any, place: str, namespace: str, given: bool) -> StackDocument:
    if not isinstance(document, Mapping) or not isinstance(document.get("metadata"), Mapping):
        raise InvalidError(
            f"{place or _title(file)}: is no Kubernetes object; write apiVersion, kind, metadata and spec"
        )
    with placed(place):
        _check_kind(document)
        own = document["metadata"].get("namespace")
        _check_namespace(own or namespace, namespace if given else "")
        metadata = {**document["metadata"], "namespace": own or namespace}
        manifest = {key: value for key, value in document.items() if key != "status"} | {"metadata": metadata}
        return StackDocument(manifest, parse_stack(manifest), place)


def _check_kind(document: Mapping[str, Any]) -> None:
    for field, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        if not document.get(field):
            raise SpecError(field, "is missing", f"write {wanted}")
    if document["kind"] != KIND:
        raise SpecError("kind", f"is {document['kind']!r}", f"aistack reads only {KIND}s; leave the rest to kubectl")


def _check_namespace(namespace: Any, asked: str) -> None:
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace):
        remedy = "write lower-case letters, digits and '-', at most 63, e.g. ml"
        raise SpecError("metadata.namespace", f"{namespace!r} is no name of a namespace", remedy)
    if asked and namespace != asked:
        raise SpecError("metadata.namespace", f"is {namespace!r}, and -n asks for {asked!r}", "leave out one of them")


def _refuse_doubles(documents: Sequence[StackDocument]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for document in documents:
        stack = document.stack
        if other := seen.get((stack.namespace, stack.name)):
            raise InvalidError(f"{document.place}: {stack.name} in {stack.namespace} is {other} already; rename one")
        seen[stack.namespace, stack.name] = document.place


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Say of what is wrong in which of several documents it is."""
    try:
        yield
    except InvalidError as error:
        if not place:
            raise
        raise InvalidError(f"{place}: {error}") from error


def _place(file: str, number: int, document: Any) -> str:
    where = f"{_title(file)}, document {number}"
    if not isinstance(document, Mapping):
        return where
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    named = " ".join(str(word) for word in (document.get("kind"), name) if word)
    return f"{where} ({named})" if named else where


def _title(file: str) -> str:
    return "standard input" if file == STDIN else file
