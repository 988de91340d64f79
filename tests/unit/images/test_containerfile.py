import pytest

from aistack.errors import CatalogError
from aistack.images.containerfile import bases_of

CASES = {
    "a plain reference": ("FROM debian:13\n", ("debian:13",)),
    "an ARG with a default": ("ARG BASE=debian:13\nFROM ${BASE}\n", ("debian:13",)),
    "an ARG without braces, in quotes": ('ARG BASE="debian:13"\nFROM $BASE\n', ("debian:13",)),
    "part of a reference": (
        "ARG TAG=13\nFROM docker.io/library/debian:${TAG}-slim\n",
        ("docker.io/library/debian:13-slim",),
    ),
    "stages are not images": ("FROM a:1 AS build\nRUN x\nFROM build AS more\nFROM b:1\n", ("a:1", "b:1")),
    "a base used twice counts once": ("FROM a:1 AS x\nFROM a:1\nCOPY --from=x /y /y\n", ("a:1",)),
    "COPY --from an image": ("FROM a:1\nCOPY --from=tools:2 /bin/t /bin/\n", ("a:1", "tools:2")),
    "COPY --from a numbered stage": ("FROM a:1\nFROM b:1\nCOPY --from=0 /x /x\n", ("a:1", "b:1")),
    "scratch is nothing": ("FROM a:1 AS build\nFROM scratch\nCOPY --from=build / /\n", ("a:1",)),
    "options and lower case": ("from --platform=linux/amd64 a:1 as build\nfrom b:1\n", ("a:1", "b:1")),
    "comments and continued lines": ("# FROM no:1\nFROM a:1\nRUN x \\\n  # FROM no:2\n  && FROM y\n", ("a:1",)),
    "a later ARG doesn't change a FROM": ("ARG B=a:1\nFROM $B AS x\nARG B=b:2\nFROM $B\n", ("a:1",)),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_bases(text: str, expected: tuple[str, ...]) -> None:
    assert bases_of(text) == expected


def test_an_arg_without_a_default_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogError, match=r"^x/Containerfile:3: FROM \$\{BASE\}: ARG BASE has no default"):
        bases_of("# a comment\nARG BASE\nFROM ${BASE}\n", "x/Containerfile")
