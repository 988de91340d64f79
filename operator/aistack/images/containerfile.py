"""Reads from a Containerfile's text which images it stands on. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aistack.errors import CatalogError

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def bases_of(text: str, file: str = "Containerfile") -> tuple[str, ...]:
    """Return the references of a Containerfile's FROM and COPY --from that are images, not stages; in order, once each.

    Args:
        text: the Containerfile.
        file: its name, for messages.

    Raises:
        CatalogError: a FROM names an ARG that has no default.
    """
    defaults: dict[str, str] = {}
    stages, found = {"scratch"}, dict[str, None]()
    for number, words in _instructions(text):
        match [words[0].upper(), *words[1:]]:
            case ["ARG", declared, *_] if not found and stages == {"scratch"}:
                name, _, value = declared.partition("=")
                defaults[name] = value.strip("\"'")
            case ["FROM", *rest]:
                image, stage = _from(rest)
                _note(found, stages, _resolve(image, defaults, file, number))
                stages.add(stage)
            case ["COPY", *rest]:
                for source in (word.removeprefix("--from=") for word in rest if word.startswith("--from=")):
                    _note(found, stages, source)
    return tuple(found)


def _note(found: dict[str, None], stages: set[str], image: str) -> None:
    if image not in stages and not image.isdigit():
        found[image] = None


def _from(words: list[str]) -> tuple[str, str]:
    plain = [word for word in words if not word.startswith("--")]
    stage = plain[2] if len(plain) > 2 and plain[1].upper() == "AS" else ""
    return plain[0], stage


def _resolve(image: str, defaults: Mapping[str, str], file: str, line: int) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not defaults.get(name):
            raise CatalogError(file, f"FROM {image}: ARG {name} has no default before the first FROM", line)
        return defaults[name]

    return _VARIABLE.sub(value, image)


def _instructions(text: str) -> list[tuple[int, list[str]]]:
    """Join continued lines, drop comments; each instruction with the line where it begins."""
    found: list[tuple[int, list[str]]] = []
    pending: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        start = start if pending else number
        pending += line.rstrip("\\").split()
        if pending and not line.endswith("\\"):
            found.append((start, pending))
            pending = []
    return found
