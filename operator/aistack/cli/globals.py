"""Global options: they may stand before or after the command, as with kubectl."""

from __future__ import annotations

from collections.abc import Sequence

WITH_VALUE = ("--catalog", "--context", "--kubeconfig", "--namespace", "-n", "--piece")
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
        elif _is_global(word):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def command_of(args: Sequence[str]) -> str:
    """Return the command's name in arguments whose global options come first; empty if there is none."""
    word = next(iter(args[_end_of_globals(args) :]), "")
    return "" if word.startswith("-") else word


def without_aliases(args: Sequence[str]) -> list[str]:
    """Write ``help [COMMAND]`` and ``--version``, which other programs have, in our words.

    Global options come first in ``args``.
    """
    position = _end_of_globals(args)
    options, rest = list(args[:position]), list(args[position:])
    match rest:
        case ["--version", *more]:
            return [*options, "version", *more]
        case ["help", *words]:
            return [*options, *words, "--help"]
        case _:
            return [*options, *rest]


def _end_of_globals(args: Sequence[str]) -> int:
    position = 0
    while position < len(args) and _is_global(args[position]):
        position += 2 if args[position] in WITH_VALUE else 1
    return min(position, len(args))


def _is_global(word: str) -> bool:
    return word in WITH_VALUE or word in FLAGS or _holds_value(word)


def _holds_value(word: str) -> bool:
    """Tell ``--namespace=ml`` and ``-nml``."""
    return word.startswith(tuple(f"{o}=" for o in WITH_VALUE)) or (word.startswith("-n") and len(word) > 2)
