"""All that a stack pulls is known beforehand, and a stack with a registry of its own pulls from nowhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aistack.api.spec import AIStack
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import DEFAULT_REGISTRY, Catalog
from aistack.errors import CatalogError
from aistack.planning.lock import images_of
from aistack.planning.plan import Planned
from aistack.planning.pods import containers, pod_template
from aistack.rendering import plan_new
from tests.charts import charts
from tests.golden import Case, cases
from tests.toy import objects, plan, starter, toy

MIRROR = "mirror.example.com/ai"
ELSEWHERE = re.compile(
    r"\b(?:docker\.io|registry-1\.docker\.io|index\.docker\.io|quay\.io|ghcr\.io|gcr\.io|[a-z0-9-]+-docker\.pkg\.dev"
    r"|registry\.k8s\.io|k8s\.gcr\.io|public\.ecr\.aws|mcr\.microsoft\.com|nvcr\.io)/"
)
"""What references of images begin with that are somebody else's."""


def mirrored(case: Case) -> Planned:
    """A golden case whose stack has a registry of its own."""
    stack: AIStack = case.plan(starter()).stack
    images = stack.spec.images.model_copy(update={"registry": MIRROR})
    spec = stack.spec.model_copy(update={"images": images})
    return plan_new(stack.model_copy(update={"spec": spec}), starter(), charts())


def pulled(planned: Planned) -> Iterator[str]:
    """Every image of a pod that the plan makes."""
    for manifest in objects(planned).values():
        if template := pod_template(manifest):
            yield from (container["image"] for container in containers(template["spec"]))


@pytest.mark.parametrize("case", cases(catalog_folder()), ids=lambda case: case.name)
def test_no_object_names_an_image_outside_of_the_stack_s_registry(case: Case) -> None:
    planned = mirrored(case)
    images = set(pulled(planned))

    assert images
    assert all(image.startswith(f"{MIRROR}/") for image in images)
    assert images <= {image.reference for image in images_of(planned, starter())}
    for manifest in objects(planned).values():
        text = json.dumps(manifest)  # what a tool starts later is named in its settings
        assert DEFAULT_REGISTRY not in text
        assert not ELSEWHERE.search(text), (manifest["kind"], manifest["metadata"]["name"])


@pytest.mark.parametrize("case", cases(catalog_folder()), ids=lambda case: case.name)
def test_what_is_locked_is_what_is_pulled(case: Case) -> None:
    planned = case.plan(starter())
    locked = images_of(planned, starter())

    assert set(pulled(planned)) <= {image.reference for image in locked}
    assert all(image.uses for image in locked)


def test_images_that_are_started_at_run_time_are_among_them() -> None:
    planned = plan("{profile: starter}", catalog=starter())
    uses = {use for image in images_of(planned, starter()) for use in image.uses}

    assert {"jupyterhub/notebook", "claims and proofs"} <= uses
    notebook = starter().components["jupyterhub"].spec.images["notebook"].reference()
    assert notebook not in set(pulled(planned)), "no object of the plan is such a pod"


def test_a_stack_without_connections_proves_nothing() -> None:
    planned = plan("{components: [{name: db}]}")
    assert [(image.reference, image.uses) for image in images_of(planned, toy())] == [
        (f"{DEFAULT_REGISTRY}/db:2.0-1", ("db/server",))
    ]


def published(registry: str, **image: Any) -> Catalog:
    """The toy catalog, whose db is published elsewhere."""
    db = toy().components["db"]
    images = {"server": db.spec.images["server"].model_copy(update={"registry": registry, **image})}
    changed = replace(db, spec=db.spec.model_copy(update={"images": images}))
    return replace(toy(), components={**toy().components, "db": changed})


def test_an_image_of_somebody_else_s_registry_is_replaced_like_any_other() -> None:
    catalog = published("ghcr.io/acme")
    spec = "{components: [{name: db}]%s}"
    (own,) = images_of(plan(spec % "", catalog=catalog), catalog)
    (mirrored,) = images_of(plan(spec % f", images: {{registry: {MIRROR}}}", catalog=catalog), catalog)

    assert own.reference == own.published == "ghcr.io/acme/db:2.0-1"
    assert (mirrored.reference, mirrored.published) == (f"{MIRROR}/db:2.0-1", "ghcr.io/acme/db:2.0-1")


def test_two_images_of_one_name_cannot_be_in_one_registry() -> None:
    store = toy().components["store"].spec.images["server"]
    catalog = published("ghcr.io/acme", repository=store.repository, tag=store.tag)
    planned = plan(f"{{profile: toy, images: {{registry: {MIRROR}}}}}", catalog=catalog)
    with pytest.raises(CatalogError, match=rf"have one name in {MIRROR}"):
        images_of(planned, catalog)
