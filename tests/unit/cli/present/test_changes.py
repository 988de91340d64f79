"""What ``plan`` shows of changes, as text and as data."""

from __future__ import annotations

from rich.console import Console

from aistack.cli.present.changes import changes_data, changes_view, summary
from aistack.objects.diff import Change, FieldChange, ObjectChange
from aistack.objects.manifest import ObjectRef

MADE = FieldChange(".data.p", None, "generated")
LONG = FieldChange(".data.text", "a\nb", "c" * 300)
GONE = FieldChange(".data.gone", "x", None)
CHANGES = (
    ObjectChange(ObjectRef("v1", "Secret", "ml", "demo-1"), Change.CREATE, (MADE,)),
    ObjectChange(ObjectRef("v1", "ConfigMap", "ml", "demo"), Change.UPDATE, (LONG, GONE)),
    ObjectChange(ObjectRef("v1", "Service", "ml", "old"), Change.DELETE),
    ObjectChange(ObjectRef("v1", "Service", "ml", "same"), Change.NONE),
)


def text(*changes: ObjectChange) -> list[str]:
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(changes_view(changes))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_objects_and_changed_fields_are_shown() -> None:
    assert text(*CHANGES) == [
        "+ create   Secret ml/demo-1",
        "~ update   ConfigMap ml/demo",
        "    data.text",
        "      - a",
        "      - b",
        f"      + {'c' * 100}… (300 characters)",
        "    data.gone",
        "      - x",
        "- delete   Service ml/old",
        "1 to create, 1 to change, 1 to delete, 1 unchanged",
    ]


def test_nothing_to_do_is_said() -> None:
    assert summary(CHANGES[3:]) == "nothing would change (1 unchanged)"
    assert text(CHANGES[3]) == ["nothing would change (1 unchanged)"]


def test_programs_get_all_fields() -> None:
    data = changes_data(CHANGES)
    assert [change["change"] for change in data] == ["create", "update", "delete"]
    assert data[1]["fields"][1] == {"path": ".data.gone", "before": "x", "after": None}


def test_of_a_long_text_or_list_only_what_differs_is_shown() -> None:
    config = FieldChange(".data.config", "one\ntwo\nthree\n", "one\n2\nthree\n")
    arguments = FieldChange(".args", ["-c", "old", "-v"], ["-c", "new", "-v"])
    change = ObjectChange(ObjectRef("v1", "ConfigMap", "ml", "demo"), Change.UPDATE, (config, arguments))
    assert text(change)[1:-1] == [
        "    data.config",
        "      - two",
        "      + 2",
        "    args",
        '      -   "old",',
        '      +   "new",',
    ]
