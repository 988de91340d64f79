"""Configuration files as data: typed encoders, so that no value can break out of its place in a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def json_text(data: object) -> str:
    """Encode data as JSON, indented and in key order."""
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def ini_text(sections: Mapping[str, Mapping[str, object]]) -> str:
    """Encode sections of keys as an INI file.

    Raises:
        ValueError: a name or value holds a line break or another control character.
    """
    return "\n".join(
        "\n".join([f"[{_line(section)}]", *(f"{_line(k)} = {_line(v)}" for k, v in keys.items()), ""])
        for section, keys in sections.items()
    )


def env_text(variables: Mapping[str, object]) -> str:
    """Encode variables as ``NAME=value`` lines.

    Raises:
        ValueError: a name or value holds a line break or another control character.
    """
    return "".join(f"{_line(k)}={_line(v)}\n" for k, v in variables.items())


def _line(value: object) -> str:
    text = str(value)
    if _CONTROL.search(text):
        raise ValueError(f"a configuration file can't hold a line break or another control character: {text[:20]!r}")
    return text


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"json_text": json_text, "ini_text": ini_text, "env_text": env_text}
"""What templates may call."""
