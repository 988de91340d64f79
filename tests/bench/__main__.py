"""``python -m tests.bench``: sizes and the comparison; a word for one: figures, proofs, charts, engine, scale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.charts import charts
from tests.bench.engine import compare, console
from tests.bench.figures import figures, proof_figures
from tests.bench.report import Samples, goals, plot, show, show_goals
from tests.bench.scale import measure

RESULTS = Path(__file__).resolve().parents[2] / "build" / "bench"
CONTENDERS = ["aistack", "bare", "kubectl", "helm", "flux"]
app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def everything(ctx: typer.Context) -> None:
    """Print the figures of speed and size, and compare the engine with others."""
    if ctx.invoked_subcommand is None:
        figures()
        engine(runs=5, count=None, contender=None, minutes=14)


app.command("figures")(figures)
app.command("proofs")(proof_figures)
app.command("charts")(charts)


@app.command()
def engine(
    runs: Annotated[int, typer.Option(help="How often each contender does everything.")] = 5,
    count: Annotated[list[int] | None, typer.Option(help="Objects; repeatable. Default: 100 and 1,000.")] = None,
    contender: Annotated[list[str] | None, typer.Option(help="Who; repeatable. Default: all.")] = None,
    minutes: Annotated[float, typer.Option(help="After so many no further round begins.")] = 14,
) -> None:
    """Compare the engine with a bare client, kubectl, Helm and Flux on one API server."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for told in compare(contender or CONTENDERS, count or [100, 1000], runs, minutes):
        (RESULTS / "engine.json").write_text(json.dumps(told, indent=1), "utf-8")
    report()


@app.command()
def report() -> None:
    """Show the comparison that was made last."""
    told = json.loads((RESULTS / "engine.json").read_text("utf-8"))
    samples = Samples(tuple(told["samples"]))
    show(samples, console)
    show_goals(goals(samples), console)
    plot(samples, RESULTS / "engine.svg")
    console.print(f"{told['seconds']:.0f} s on {told['machine']}, load {told['load']}: build/bench/engine.json, .svg")


@app.command()
def scale(
    stacks: Annotated[list[int] | None, typer.Option(help="Steps of growth; repeatable.")] = None,
    minutes: Annotated[float, typer.Option(help="How long the last step is watched at rest.")] = 30,
) -> None:
    """Let the number of stacks with 100 objects each grow."""
    measure(stacks or [10, 100, 1000], minutes)


if __name__ == "__main__":
    app()
