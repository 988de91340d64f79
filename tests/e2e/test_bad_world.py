"""A world that isn't ready: the status names the object, what is wrong and what to do; it heals by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journey.kube import Kube, eventually
from tests.journey.operator import remove_namespace
from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

ONLY_POSTGRES = {"profile": None, "components": [{"name": "postgres"}], "deletionPolicy": "Delete"}


@pytest.fixture
def small(request: pytest.FixtureRequest, kube: Kube, operator: object) -> Iterator[Starter]:
    """A namespace for a stack of PostgreSQL alone."""
    stack = Starter(kube, "e2e-" + request.node.name.removeprefix("test_").replace("_", "-"), "small")
    remove_namespace(kube, stack.namespace)
    kube.run("create", "namespace", stack.namespace)
    yield stack
    remove_namespace(kube, stack.namespace, wait=False)


def test_an_image_that_cannot_be_pulled(small: Starter) -> None:
    small.kube.apply(_stack(small, images={"registry": "registry.invalid/nowhere"}))
    message = eventually(lambda: _said(small, "registry.invalid/nowhere/postgres"), seconds=90)
    assert "pull" in message
    assert "images" in message, "the message says what to do"
    assert small.condition("Ready")["reason"] == "Unhealthy"
    small.kube.apply(_stack(small))
    eventually(lambda: small.condition("Ready").get("status") == "True", seconds=120)


def test_a_volume_that_cannot_be_bound(small: Starter) -> None:
    small.kube.apply(_stack(small, storage={"className": "no-such-class"}, deletionPolicy="Retain"))
    message = eventually(lambda: _said(small, "can't be scheduled"), seconds=90)
    assert small.condition("Ready")["reason"] == "Unhealthy"
    assert "unbound immediate PersistentVolumeClaims" in message
    assert "set spec.storage.className to one that makes volumes" in message
    small.aistack("delete", small.name, "--wait", "--timeout", "120")
    small.kube.apply(_stack(small, storage={"className": "standard"}))
    eventually(lambda: small.condition("Ready").get("status") == "True", seconds=120)


def _stack(small: Starter, **spec: object) -> dict[str, object]:
    manifest = small.manifest(**{**ONLY_POSTGRES, **spec})
    manifest["spec"].pop("profile")
    return manifest


def _said(small: Starter, words: str) -> str:
    message = str(small.live().get("status", {}).get("message", ""))
    return message if words in message else ""
