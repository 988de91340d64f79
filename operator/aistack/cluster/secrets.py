"""Generated Secrets: recipes become values here and nowhere else; a Secret is created once and never changed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping

from aistack.cluster.apply import fetch, mark_retained, peek
from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.cluster.users import mark, read_secret
from aistack.errors import ClusterError, ForeignObjectError
from aistack.objects.formats import fill_all
from aistack.objects.manifest import Manifest
from aistack.objects.outcome import ObjectOutcome, Verb
from aistack.objects.plan import CreateSecret
from aistack.objects.recipes import ALPHABETS, Format, Generate, Literal, Once, Ref


async def create_secret(ctx: Context, step: CreateSecret) -> ObjectOutcome:
    """Create the Secret unless it exists.

    Raises:
        ForeignObjectError: a Secret of that name exists and isn't ours.
        ClusterError: this generation was made before and is lost (its values can't be made again: the next plan
            asks for a new generation).
    """
    ctx.require(step.ref)
    live = ctx.store.get(step.ref)
    if live is None and ctx.inventory.get(step.ref).exists:
        raise ClusterError(f"{step.ref} was deleted; a new generation replaces it", 404, "NotFound")
    if live is None:
        return await _create(ctx, step)
    return await _keep(ctx, step, live)


async def _create(ctx: Context, step: CreateSecret) -> ObjectOutcome:
    borrowed = await borrow(ctx, step)
    reply = await ctx.actor.create(_manifest(ctx, step, resolve(step, borrowed)))
    if reply.status == 409:
        existing = await fetch(ctx, step.ref)
        if existing is None:  # other conflicts than of names, e.g. of writes to a quota, pass by themselves
            raise reply.error()
        return await _keep(ctx, step, existing)
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


async def borrow(ctx: Context, step: CreateSecret) -> dict[Ref, str]:
    """Read the values that come from users' Secrets.

    Raises:
        ClusterError: such a Secret can't be read, or has changed since the plan was made.
    """
    refs = [recipe for recipe in step.recipes.values() if isinstance(recipe, Ref)]
    namespace = step.ref.namespace
    found = {name: await read_secret(ctx.actor, namespace, name) for name in sorted({ref.secret for ref in refs})}
    if any(ref.mark != mark(namespace, ref.secret, ref.key, found[ref.secret].get(ref.key, b"")) for ref in refs):
        raise ClusterError(f"a Secret that {step.ref} is made from has changed; the next plan takes it in")
    return {ref: found[ref.secret][ref.key].decode() for ref in refs}


def resolve(step: CreateSecret, borrowed: Mapping[Ref, str]) -> dict[str, str]:
    """Make the values.

    Args:
        step: whose.
        borrowed: what comes from users' Secrets.

    Raises:
        SpecError: formats refer to each other in a circle, or to a key that isn't there.
    """
    values = {key: _value(recipe, borrowed) for key, recipe in step.recipes.items() if not isinstance(recipe, Format)}
    formats = {key: recipe.template for key, recipe in step.recipes.items() if isinstance(recipe, Format)}
    return fill_all(values, formats, str(step.ref))


def _value(recipe: Literal | Generate | Ref | Once, borrowed: Mapping[Ref, str]) -> str:
    match recipe:
        case Ref():
            return borrowed[recipe]
        case Literal(value) | Once(value):
            return value
        case Generate(length, alphabet, prefix):
            return prefix + "".join(secrets.choice(ALPHABETS[alphabet]) for _ in range(length))
