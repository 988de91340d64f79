"""Configuration files as data: what goes in comes out of the format's own parser, and nothing breaks out."""

from __future__ import annotations

import configparser
import json
from typing import Any

import pytest

from aistack.planning.encode import env_text, ini_text, json_text

DATA: dict[str, Any] = {"text": 'a "b"\n{{ c }}', "number": 1e-7, "none": None, "list": [1, {"ü": True}]}


def test_json_comes_back() -> None:
    assert json.loads(json_text(DATA)) == DATA


def test_json_is_the_same_whatever_the_order_of_keys() -> None:
    assert json_text({"b": 1, "a": 2}) == json_text({"a": 2, "b": 1})


def test_ini_comes_back() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    sections = {"server": {"host": "0.0.0.0", "motd": "a = b; c # d"}, "log": {"level": "info"}}  # noqa: S104 - text
    parser.read_string(ini_text(sections))
    assert {name: dict(parser[name]) for name in parser.sections()} == sections


def test_env_comes_back() -> None:
    assert env_text({"A": "x=y z", "B": 1}) == "A=x=y z\nB=1\n"


BREAKS = ["\n", "\r", "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("mark", BREAKS, ids=lambda mark: f"{ord(mark):04x}")
def test_no_value_breaks_out_of_its_line(mark: str) -> None:
    for write in (
        lambda text: ini_text({"a": {"b": text}}),
        lambda text: ini_text({"a": {text: "b"}}),
        lambda text: ini_text({text: {}}),
        lambda text: env_text({"A": text}),
        lambda text: env_text({text: "A"}),
    ):
        with pytest.raises(ValueError, match="a configuration file can't hold a line break"):
            write(f"x{mark}evil = 1")
