"""Deep JSON: cut off where it is too deep, and untouched everywhere else."""

from __future__ import annotations

import json

import orjson
import pytest

from aistack.cluster.shallow import DEEPEST, loads, pruned


def lists(depth: int) -> str:
    return "[" * depth + "]" * depth


def maps(depth: int, inner: str = "1") -> str:
    return '{"a":' * depth + inner + "}" * depth


KEPT = {
    "small": '{"a": [1, 2, {"b": null}]}',
    "wide": json.dumps([{"a": [n]} for n in range(1000)]),
    "as-deep-as-can-be": maps(DEEPEST),
    "brackets-in-texts": json.dumps({"a": "[" * 500, "b": '\\"{' * 500, "[{": ["\\", '"', "{"]}),
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_is_not_too_deep_stays_the_same_object(text: str) -> None:
    raw = text.encode()
    assert pruned(raw) is raw
    assert loads(raw) == json.loads(text)


CUT = {
    "maps": ('{"x": 1, "deep": ' + maps(9_990) + ', "y": [2]}', {"x": 1, "deep": {"a": None}, "y": [2]}),
    "lists": ('{"deep": ' + lists(9_990) + ', "y": "]"}', {"deep": [None], "y": "]"}),
    "several": (f"[{lists(5000)}, 1, {maps(3000)}]", [[None], 1, {"a": None}]),
    "texts-inside": ('{"deep": ' + maps(2000, '"}]\\\\\\"{"') + ', "y": 1}', {"deep": {"a": None}, "y": 1}),
}


@pytest.mark.parametrize(("text", "left"), CUT.values(), ids=CUT)
def test_what_is_too_deep_becomes_null_and_all_else_stays(text: str, left: object) -> None:
    assert json.loads(pruned(text.encode(), 2)) == left
    assert len(str(loads(text.encode()))) < len(text)


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "]" * 300, '{"a": nope}', '"' + "[" * 500])
def test_what_is_no_json_is_an_error(text: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        loads(text.encode())
