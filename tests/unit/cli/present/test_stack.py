"""What ``status`` and ``wait`` show of a stack, as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, RenderableType

from aistack.api.labels import COMPONENT, STACK
from aistack.cli.present.advice import next_steps
from aistack.cli.present.progress import news, stack_tree
from aistack.cli.present.stack import stack_view, stacks_table
from aistack.cli.standing import understood
from tests.unit.cli.lab import live, status

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DB = {"name": "db", "version": "1", "phase": "Ready", "url": ""}
WEB = {"name": "web", "version": "2", "phase": "Progressing", "message": "0 of 1 pods are ready", "url": "http://x"}
EDGE = {"from": "web", "to": "db", "contract": "sql", "state": "Unproven", "message": "no proof has run yet"}
FOOTPRINT = {"cpu": "1500m", "memory": "1700Mi", "storage": "30Gi", "pods": 5}


def text(renderable: RenderableType) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def working() -> dict[str, Any]:
    found = live(status("1 of 2 components are ready; web: 0 of 1", Ready="", components=[DB, WEB]))
    found["status"] |= {"edges": [EDGE], "footprint": FOOTPRINT}
    return found


def test_a_stack_is_shown_with_components_edges_conditions_and_next_steps() -> None:
    shown = text(stack_view(understood(working()), NOW, ["do this"]))
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == "demo in ml working 1 of 2 components are ready; web: 0 of 1"
    assert "asks for 1500m CPU, 1700Mi memory, 30Gi storage in 5 pods" in lines
    assert "web 2 … Progressing 0 of 1 pods are ready" in lines
    assert "web db sql Unproven no proof has run yet" in lines
    assert "Ready False Progressing" in lines
    assert lines[-2:] == ["Next", "do this"]


def test_the_release_that_a_stack_runs_is_told() -> None:
    found = working()
    found["status"]["release"] = "0.1.0"
    shown = text(stack_view(understood(found), NOW, []))
    assert "asks for 1500m CPU, 1700Mi memory, 30Gi storage in 5 pods; runs release 0.1.0\n" in shown


@pytest.mark.parametrize(
    ("url", "expose", "told"),
    [
        pytest.param(
            "https://web.ml.example.com/home", {"host": "ml.example.com", "className": "nginx"}, True, id="exposed"
        ),
        pytest.param(
            "http://demo-web.ml.svc:8080/home", {"host": "ml.example.com", "className": "nginx"}, False, id="not-yet"
        ),
        pytest.param("http://demo-web.ml.svc:8080/home", None, False, id="inside"),
    ],
)
def test_a_page_that_is_exposed_is_told(url: str, expose: dict[str, str] | None, told: bool) -> None:
    found = live(status("fine", Ready="True", components=[{**WEB, "phase": "Ready", "message": "", "url": url}]))
    found["spec"] |= {"expose": expose} if expose else {}
    assert (url in text(stack_view(understood(found), NOW, []))) is told


def test_a_stack_that_nobody_looked_at_says_so() -> None:
    assert "the operator hasn't looked at this version of it yet" in text(stack_view(understood(live()), NOW, []))


def test_what_tools_say_is_never_taken_for_markup() -> None:
    found = live(status("values[red] is [/] wrong", Stalled="InvalidSpec", components=[{**WEB, "message": "a[b]c[/]"}]))
    shown = text(stack_view(understood(found), NOW, ["see [x]"]))
    assert "values[red] is [/] wrong" in shown
    assert "a[b]c[/]" in shown
    assert "see [x]" in shown


def test_many_stacks_get_a_line_each() -> None:
    shown = text(stacks_table([understood(working()), understood(live())], ["5m", "3s"], namespaced=True))
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == "NAMESPACE NAME STATE COMPONENTS PROFILE AGE MESSAGE"
    assert lines[1].startswith("ml demo working - toy 5m 1 of 2")
    assert lines[2] == "ml demo unseen - toy 3s"


def test_the_tree_shows_under_each_component_what_it_uses() -> None:
    lines = text(stack_tree(understood(working()), 61)).splitlines()
    assert "1m1s" in lines[0]
    assert "db 1 Ready" in " ".join(lines[1].split())
    assert "web 2 Progressing" in " ".join(lines[2].split())
    assert "uses sql of db Unproven" in " ".join(lines[3].split())


def test_a_stack_that_is_gone_is_a_tree_too() -> None:
    assert text(stack_tree(None, 5)).strip() == "gone after 5s"


def test_news_are_told_once() -> None:
    stack = understood(working())
    first = list(news(None, stack))
    assert first == [
        "db 1  Ready",
        "web 2  Progressing: 0 of 1 pods are ready",
        "1 of 2 components are ready; web: 0 of 1",
    ]
    assert list(news(stack.status, stack)) == []
    assert list(news(stack.status, None)) == ["gone"]


def test_a_status_without_a_message_is_no_news() -> None:
    assert list(news(None, understood(live(status("", Ready="", components=[DB]))))) == ["db 1  Ready"]


@pytest.mark.parametrize(
    ("found", "unseen", "steps"),
    [
        pytest.param(
            live(status(Ready="Healthy", components=[DB, WEB])), 0, ["aistack open web -n ml"], id="ready-open-pages"
        ),
        pytest.param(live(), 3, ["aistack wait demo -n ml"], id="just-applied"),
        pytest.param(live(), 90, ["no operator has looked at this for 1m30s: is one running?"], id="no-operator"),
        pytest.param(
            live(status("spec.profile: …", Stalled="InvalidSpec")),
            0,
            ["correct the field and apply again; what already runs stays as it is"],
            id="wrong-spec",
        ),
        pytest.param(
            live(status(Stalled="ForeignObject")), 0, ["delete or rename that object"], id="somebody-elses-object"
        ),
        pytest.param(
            live(status(Ready="", components=[{**WEB, "phase": "Failed"}])),
            0,
            [
                f"kubectl -n ml describe pods -l {STACK}=demo,{COMPONENT}=web",
                "aistack wait demo -n ml",
            ],
            id="failed-component",
        ),
        pytest.param(
            live(deletionTimestamp="2026-05-01T12:00:00Z"),
            0,
            ["aistack wait demo --for deleted -n ml", "aistack delete demo --orphan -n ml"],
            id="deleting",
        ),
        pytest.param(
            live(status(Ready="")) | {"spec": {"profile": "toy", "suspend": True}},
            0,
            ["set spec.suspend to false"],
            id="suspended",
        ),
    ],
)
def test_advice(found: dict[str, Any], unseen: float, steps: list[str]) -> None:
    given = next_steps(understood(found), unseen, "aistack {} -n ml".format)
    assert [a[: len(b)] for a, b in zip(given, steps, strict=True)] == steps
