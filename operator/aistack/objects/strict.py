"""Strict YAML: a safe loader that takes no key twice, and no text that aliases make much longer than it looks."""

from __future__ import annotations

from typing import IO, Any

import yaml

LARGEST = 100_000
"""Most values of a document, with all that its aliases stand for written out."""
LARGEST_TEXT = 10_000_000
"""Most characters of them all together."""
DEEPEST = 250
"""Most levels: the parser's own stack ends with the process."""


class StrictLoader(yaml.CSafeLoader):
    """Refuses a key that stands twice in one map, of which YAML would silently take the last, and YAML bombs.

    Args:
        stream: the text, or a file of it.

    Raises:
        yaml.MarkedYAMLError: it is nested too deep; all else that is wrong comes with the documents.
    """

    def __init__(self, stream: str | bytes | IO[str] | IO[bytes]) -> None:
        text = stream if isinstance(stream, str | bytes) else stream.read()
        _refuse_depth(text)
        super().__init__(text)

    def construct_document(self, node: yaml.Node) -> Any:
        """Return a document as plain data."""
        values, length = _written_out(node, {})
        if values > LARGEST or length > LARGEST_TEXT:
            problem = f"aliases make more than {LARGEST} values or {LARGEST_TEXT} characters of it"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_document(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a map as plain data."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and str(key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands here twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _refuse_depth(text: str | bytes) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                problem, mark = f"it is nested deeper than {DEEPEST} levels", event.start_mark
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)  # type: ignore[arg-type]  # the C parser's
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _written_out(node: yaml.Node, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Count a node's values and characters, an alias as often as it is used, each node looked at once.

    An alias of what it stands in has no end: it counts as too many.
    """
    if id(node) in known:
        return known[id(node)]
    if isinstance(node, yaml.ScalarNode):
        return 1, len(node.value)
    known[id(node)] = LARGEST + 1, 0
    children = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
    sizes = [_written_out(child, known) for child in children]
    known[id(node)] = 1 + sum(size[0] for size in sizes), sum(size[1] for size in sizes)
    return known[id(node)]
