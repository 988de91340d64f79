"""Global options: they may stand before or after the command, as with kubectl."""

from __future__ import annotations

from collections.abc import Sequence

WITH_VALUE = ("--catalog", "--context", "--kubeconfig", "--namespace", "-n")
FLAGS = ("--no-color", "--debug")


def globals_first(args: Sequence[str]) -> list[str]:
    """Move global options before the command, keeping the order of everything else; stops at ``--``."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in WITH_VALUE:
            first += [word, *(value for value in [next(words, None)] if value is not None)]
        elif _holds_value(word) or word in FLAGS:
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def command_of(args: Sequence[str]) -> str:
    """Return the command's name in arguments whose global options come first; empty if there is none."""
    words = iter(args)
    for word in words:
        if word in WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _holds_value(word: str) -> bool:
    """Tell ``--namespace=ml`` and ``-nml``."""
    return word.startswith(tuple(f"{o}=" for o in WITH_VALUE)) or (word.startswith("-n") and len(word) > 2)
