"""Where a page is, and which Secret opens it."""

from __future__ import annotations

from typing import cast

import pytest

from aistack.catalog.models import Login, Page
from aistack.cli.pages import PagePlace, find_page, find_pod, newest_generation
from aistack.cluster.client import Client
from aistack.cluster.replies import Reply
from aistack.errors import InvalidError, NotReadyError
from aistack.objects.plan import Observed
from aistack.planning.plan import plan_stack
from aistack.planning.resolve import resolve
from tests.toy import secrets, stack, starter


@pytest.mark.parametrize(
    ("names", "newest"),
    [
        pytest.param(["demo-a-1"], "demo-a-1", id="first"),
        pytest.param(["demo-a-9", "demo-a-10", "demo-a-2"], "demo-a-10", id="numbers-not-letters"),
        pytest.param(["demo-a-b-1", "demo-a-x", "other-demo-a-1"], None, id="others-only"),
        pytest.param([], None, id="none"),
    ],
)
def test_the_newest_generation_counts(names: list[str], newest: str | None) -> None:
    assert newest_generation("demo-a", names) == newest


def test_every_page_has_a_service_and_a_login_that_are_planned() -> None:
    asked = stack({"profile": "starter", "components": [{"name": "prometheus"}]})
    planned = plan_stack(asked, starter(), Observed())
    services = {s.ref.name for u in planned.plan.units for s in u.objects() if s.ref.kind == "Service"}
    with_pages = {name for name, component in starter().components.items() if component.spec.pages}
    assert with_pages == {"mlflow", "jupyterhub", "prometheus"}
    for name in with_pages:
        place = find_page(asked, starter(), name)
        assert place.service in services
        login = place.page.login
        assert login is not None
        assert {login.username, login.password} <= secrets(planned)[place.login_base].recipes.keys()


def test_a_login_of_a_contract_without_an_administrator_of_its_own_is_the_one_that_makes_its_shares() -> None:
    asked = stack({"profile": "starter"})
    page = Page(title="x", workload="server", port="postgres", login=Login(provided="vector"))
    place = PagePlace(asked, resolve(asked, starter())["postgres"], page)
    assert place.login_base == "demo-postgres-postgres-admin"
    assert place.login_base in secrets(plan_stack(asked, starter(), Observed()))


@pytest.mark.parametrize(
    ("expose", "url"),
    [
        pytest.param({}, "", id="not-exposed"),
        pytest.param({"className": "x"}, "http://jupyterhub.ml.example.com/hub/", id="http"),
        pytest.param({"className": "x", "tls": {}}, "https://jupyterhub.ml.example.com/hub/", id="https"),
    ],
)
def test_where_a_page_is_exposed(expose: dict[str, object], url: str) -> None:
    spec = {"profile": "starter"} | ({"expose": {"host": "ml.example.com", **expose}} if expose else {})
    assert find_page(stack(spec), starter(), "jupyterhub").url == url


class NoPods:
    """A cluster in which no pod runs yet."""

    async def list(self, *_: object, **__: str) -> Reply:
        return Reply(200, {"items": None})


async def test_a_page_that_nobody_serves_yet_says_how_to_wait() -> None:
    place = find_page(stack({"profile": "starter"}), starter(), "mlflow")
    with pytest.raises(NotReadyError) as refused:
        await find_pod(cast(Client, NoPods()), place, "aistack wait demo -n ml")
    assert str(refused.value) == "no pod of mlflow is ready; aistack wait demo -n ml"


@pytest.mark.parametrize(
    ("component", "message"),
    [
        pytest.param("mlfow", "demo has no component 'mlfow'; did you mean 'mlflow'?", id="unknown"),
        pytest.param("postgres", "postgres has no page; choose one of: mlflow, jupyterhub", id="no-page"),
    ],
)
def test_what_has_no_page_is_refused(component: str, message: str) -> None:
    with pytest.raises(InvalidError) as refused:
        find_page(stack({"profile": "starter"}), starter(), component)
    assert str(refused.value) == message
