"""How an inventory is written down."""

from __future__ import annotations

import pytest

from aistack.cluster.records import PACKED, PLAIN, Record, decode, encode
from aistack.objects.manifest import ObjectRef


def ref(name: str, kind: str = "ConfigMap") -> ObjectRef:
    return ObjectRef("v1", kind, "ml", name)


FULL = Record("a", 3, "uid", "desired", "owned", "paths", (".spec.x",), True, True, "base", 2, "key", "db", True, 4)


def test_nothing_is_lost() -> None:
    records = {ref("a"): FULL, ref("b"): Record(), ObjectRef("rbac/v1", "ClusterRole", "", "c"): Record("u")}

    assert decode(encode(records)) == records


def test_equal_records_give_equal_bytes() -> None:
    assert encode({ref("a"): FULL, ref("b"): Record()}) == encode({ref("b"): Record(), ref("a"): FULL})


def test_a_small_one_can_be_read_by_people() -> None:
    (text,) = encode({ref("a"): Record("mlflow")})["data"].values()

    assert '"v1|ConfigMap|ml|a": {\n    "unit": "mlflow"' in text


def test_five_thousand_objects_fit() -> None:
    paths = "".join(f"{i:04d}" for i in range(40))
    records = {
        ref(f"a-name-of-usual-length-{i}"): Record("unit", i, f"uid-{i}" * 6, "d" * 16, "o" * 16, paths)
        for i in range(5000)
    }
    content = encode(records)

    assert "data" not in content
    assert len(content["binaryData"][PACKED]) < 900_000
    assert decode(content) == records


def test_fields_of_a_later_version_are_ignored() -> None:
    assert decode({"data": {PLAIN: '{"v1|ConfigMap|ml|a": {"unit": "u", "novelty": 1}}'}}) == {ref("a"): Record("u")}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="empty"),
        pytest.param({"data": {PLAIN: "{"}}, id="cut off"),
        pytest.param({"binaryData": {PACKED: "AAAA"}}, id="garbled"),
        pytest.param({"data": {PLAIN: '{"x": {}}'}}, id="no reference"),
        pytest.param({"data": {PLAIN: "[]"}}, id="a list"),
    ],
)
def test_damage_is_noticed(content: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"unreadable inventory|unexpected end"):
        decode(content)
