"""JSON that is nested deeper than any parser's stack allows: the API server takes up to 10,000 levels of it.

What is below :data:`DEEPEST` is replaced by null, so that who made such an object can be told, and nobody else is hurt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

DEEPEST = 200
"""Levels that are kept: an object of ours may have 100 (:mod:`aistack.api.nulls`), in a list or an event."""
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_OPENING, _QUOTE = b"[{", b'"'


def loads(text: bytes) -> Any:
    """Parse JSON of any depth.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if (shallow := pruned(text)) is text:
            raise
        return orjson.loads(shallow)


def pruned(text: bytes, deepest: int = DEEPEST) -> bytes:
    """Return JSON with null in place of everything that is nested deeper; the same object where nothing is."""
    if text.count(b"{") + text.count(b"[") <= deepest:
        return text
    kept = list(_kept(text, deepest))
    return text if len(kept) == 1 else b"null".join(kept)


def _kept(text: bytes, deepest: int) -> Iterator[bytes]:
    """Yield what stands before, between and after the parts that are too deep."""
    depth = begin = 0
    for token in _TOKEN.finditer(text):
        sign = token[0][:1]
        if sign in _OPENING:
            depth += 1
            if depth == deepest + 1:
                yield text[begin : token.start()]
        elif sign != _QUOTE:
            if depth == deepest + 1:
                begin = token.end()
            depth -= 1
    yield text[begin:]
