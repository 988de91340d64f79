"""The README's picture, drawn from the catalog: the starter's components and what each has of the others."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from aistack.api.parse import parse_stack
from aistack.catalog.loader import load_catalog
from aistack.objects.plan import Observed
from aistack.planning.plan import Planned, plan_stack

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "starter.svg"
WIDTH, BOX_WIDTH, BOX_HEIGHT, ROW = 860, 190, 74, 150
SHARES = {
    "postgres": "own database",
    "s3": "own bucket",
    "mlflow": "own login",
}

Point = tuple[float, float]


def picture() -> tuple[Path, str]:
    """Return the picture's path and what it must hold."""
    stack = parse_stack(
        {
            "apiVersion": "aistack.dev/v1alpha1",
            "kind": "AIStack",
            "metadata": {"name": "demo", "namespace": "ml"},
            "spec": {"profile": "starter"},
        }
    )
    planned = plan_stack(stack, load_catalog(), Observed())
    centres = dict(_places(planned))
    height = 60 + BOX_HEIGHT + ROW * (len(planned.wiring.waves) - 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" rx="12" fill="#f6f8fa"/>',
        *_edges(planned, centres),
        *(part for name, centre in centres.items() for part in _box(planned, name, centre)),
        "</svg>",
    ]
    return PICTURE, "\n".join(parts) + "\n"


def _places(planned: Planned) -> Iterator[tuple[str, Point]]:
    """Yield each component's centre: a row for each wave, the first one at the bottom."""
    margin = 40 + BOX_WIDTH / 2
    for row, names in enumerate(reversed(planned.wiring.waves)):
        gap = (WIDTH - 2 * margin) / max(len(names) - 1, 1)
        for column, name in enumerate(names):
            x = margin + gap * column if len(names) > 1 else WIDTH / 2
            yield name, (x, 30 + BOX_HEIGHT / 2 + ROW * row)


def _box(planned: Planned, name: str, centre: Point) -> Iterator[str]:
    spec = planned.resolved[name].component.spec
    x, y = centre
    left, top = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
    yield (
        f'<rect x="{left:g}" y="{top:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="#fff" stroke="#0b7285"'
        ' stroke-width="2"/>'
    )
    middle = f'<text x="{x:g}" text-anchor="middle"'
    yield f'{middle} y="{y - 6:g}" font-size="17" fill="#1f2328">{escape(spec.title)}</text>'
    offers = ", ".join(p.contract for p in spec.provides)
    yield f'{middle} y="{y + 18:g}" font-size="12" fill="#57606a">provides {offers}</text>'


def _edges(planned: Planned, centres: dict[str, Point]) -> Iterator[str]:
    for edge in planned.wiring.edges:
        (x1, y1), (x2, y2) = centres[edge.consumer], centres[edge.provider]
        yield f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="#868e96" stroke-width="1.5"/>'
        long = abs(y2 - y1) > ROW
        far = 0.42 if long else 0.5
        side = ((x2 > x1) - (x2 < x1)) * (1 if long else -1)  # labels of long lines outside, of short ones inside
        anchor = {-1: "end", 0: "middle", 1: "start"}[side]
        x, y = x1 + (x2 - x1) * far + 8 * side, y1 + (y2 - y1) * far
        text = f"{edge.contract}: {SHARES[edge.contract]}"
        yield (
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="11" fill="#495057" stroke="#f6f8fa"'
            f' stroke-width="4" paint-order="stroke">{escape(text)}</text>'
        )
