"""Generated Secrets: recipes become values here and nowhere else; a Secret is created once and never changed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from string import Formatter
from typing import Any
from urllib.parse import quote

from aistack.cluster.apply import fetch, mark_retained, peek
from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.errors import ClusterError, ForeignObjectError, SpecError
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.objects.outcome import ObjectOutcome, Verb
from aistack.objects.plan import CreateSecret
from aistack.objects.recipes import ALPHABETS, Format, FromSecret, Generate, Literal, Recipe


async def create_secret(ctx: Context, step: CreateSecret) -> ObjectOutcome:
    """Create the Secret unless it exists.

    Raises:
        ForeignObjectError: a Secret of that name exists and isn't ours.
        ClusterError: this generation was made before and is lost (its values can't be made again: the next plan
            asks for a new generation), or a Secret that it refers to doesn't exist.
    """
    ctx.require(step.ref)
    live = ctx.store.get(step.ref)
    if live is None and ctx.inventory.get(step.ref).exists:
        raise ClusterError(f"{step.ref} was deleted; a new generation replaces it", 404, "NotFound")
    if live is None:
        return await _create(ctx, step)
    return await _keep(ctx, step, live)


async def _create(ctx: Context, step: CreateSecret) -> ObjectOutcome:
    values = await resolve(ctx, step)
    reply = await ctx.client.create(_manifest(ctx, step, values))
    if reply.status == 409:
        existing = await fetch(ctx, step.ref)
        if existing is None:  # other conflicts than of names, e.g. of writes to a quota, pass by themselves
            raise reply.error()
        return await _keep(ctx, step, existing)
    ctx.values[step.ref] = values
    live = ctx.learn(reply.result(), step.ref)
    ctx.inventory.update(step.ref, uid=live.uid, owned=live.owned, kept=False)
    return peek(ctx, step.ref, Verb.CREATED)


async def _keep(ctx: Context, step: CreateSecret, live: Live) -> ObjectOutcome:
    if not ctx.ours(live):
        raise ForeignObjectError(str(step.ref))
    if ctx.settings.retained_label in live.labels and not live.terminating:
        await mark_retained(ctx, live.ref, live.uid, None)
    ctx.inventory.update(step.ref, uid=live.uid, owned=live.owned, kept=False)
    return peek(ctx, step.ref)


def _manifest(ctx: Context, step: CreateSecret, values: Mapping[str, str]) -> Manifest:
    manifest = ctx.signed(step.manifest)
    annotations = {**manifest["metadata"].get("annotations", {}), ctx.settings.recipe_annotation: step.desired_hash}
    manifest["metadata"] = {**manifest["metadata"], "annotations": annotations}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {**manifest, "immutable": True, "data": data}


def layers(steps: Mapping[ObjectRef, CreateSecret]) -> Iterator[tuple[ObjectRef, ...]]:
    """Order Secrets so that each comes after those that it refers to; a layer may be made at the same time.

    Raises:
        graphlib.CycleError: they refer to each other in a circle.
    """
    graph = {ref: [target for target in _targets(step) if target in steps] for ref, step in steps.items()}
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    while sorter.is_active():
        layer = sorter.get_ready()
        yield layer
        sorter.done(*layer)


def _targets(step: CreateSecret) -> set[ObjectRef]:
    return {_target(step, recipe) for recipe in step.recipes.values() if isinstance(recipe, FromSecret)}


def _target(step: CreateSecret, recipe: FromSecret) -> ObjectRef:
    return ObjectRef("v1", "Secret", step.ref.namespace, recipe.secret)


async def resolve(ctx: Context, step: CreateSecret) -> dict[str, str]:
    """Make the values.

    Raises:
        ClusterError: a Secret, or a key of it, that a recipe refers to doesn't exist.
        SpecError: formats refer to each other in a circle, or to a key that isn't there.
    """
    values: dict[str, str] = {}
    for key, recipe in step.recipes.items():
        if not isinstance(recipe, Format):
            values[key] = await _value(ctx, step, recipe)
    formats = {key: recipe.template for key, recipe in step.recipes.items() if isinstance(recipe, Format)}
    return _formatted(values, formats, str(step.ref))


async def _value(ctx: Context, step: CreateSecret, recipe: Recipe) -> str:
    match recipe:
        case Literal(value):
            return value
        case Generate(length, alphabet, prefix):
            return prefix + "".join(secrets.choice(ALPHABETS[alphabet]) for _ in range(length))
        case FromSecret():
            return await _foreign_value(ctx, step, recipe)
        case Format():
            raise AssertionError("formats are resolved last")


async def _foreign_value(ctx: Context, step: CreateSecret, recipe: FromSecret) -> str:
    target = _target(step, recipe)
    if target not in ctx.values:
        ctx.values[target] = await _read(ctx, target)
    if recipe.key not in ctx.values[target]:
        raise ClusterError(f"{target} has no key {recipe.key!r}, which {step.ref} needs", 404, "NotFound")
    return ctx.values[target][recipe.key]


async def _read(ctx: Context, ref: ObjectRef) -> dict[str, str]:
    data: dict[str, Any] = (await ctx.client.get(ref)).result().get("data") or {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def _formatted(values: dict[str, str], formats: dict[str, str], where: str) -> dict[str, str]:
    """Fill templates in, those first that need no other."""
    needs = {key: [name for _, name, _, _ in Formatter().parse(text) if name] for key, text in formats.items()}
    done = dict(values)
    while len(done) < len(values) + len(formats):
        ready = [key for key in formats if key not in done and all(name in done for name in needs[key])]
        if not ready:
            stuck = ", ".join(sorted(formats.keys() - done.keys()))
            raise SpecError(where, f"the formats of {stuck} refer to keys that don't exist or to each other")
        for key in ready:
            done[key] = _fill(formats[key], done)
    return done


def _fill(template: str, values: Mapping[str, str]) -> str:
    parts = []
    for text, name, form, _ in Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append(quote(values[name], safe="") if form == "url" else values[name])
    return "".join(parts)
