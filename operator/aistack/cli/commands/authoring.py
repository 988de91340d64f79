"""``aistack component new`` and ``check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aistack.cli.exits import ExitCode
from aistack.cli.output import Output
from aistack.cli.session import session_of
from aistack.cli.voice import aside, complain
from aistack.errors import InvalidError

NEW_EPILOG = """\
[bold]Examples[/]

aistack component new tiled --requires postgres --requires s3       its image is built from its folder
aistack component new weaviate --from-image cr.example.com/weaviate:1.30.2 --requires s3
aistack component new shop --from-chart ./charts/shop
aistack component new shop --from-chart oci://registry.example.com/charts/shop:1.4.2
aistack component new shop --from-chart https://charts.example.com/shop:1.4.2 --provides redis

Writes a folder that passes 'aistack component check', with comments that say what you fill in. A chart may make what a
stack can't have: then it ends with 1 and says what is left to do. Needs no cluster; helm for charts.
"""
CHECK_EPILOG = """\
[bold]Examples[/]

aistack component check                     the folder that you are in
aistack component check ./weaviate ./milvus
aistack component check ./weaviate --update write what its stacks in tests/ become; read the diff
aistack component check ./weaviate -o json  for editors and CI
aistack component check ./tool --piece ./contracts  where it needs what another folder, or artifact, brings

The same checks as those of our own catalog: files, values, licence, images, contracts, templates in every size, and
tests/CASE/stack.yaml against the expected.yaml beside it. Ends with 1 if something is wrong. Needs no cluster.
"""


def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the component, and of its folder.")],
    chart: Annotated[
        str, typer.Option("--from-chart", help="Folder of a Helm chart, or oci:// or https:// with :version.")
    ] = "",
    image: Annotated[
        str, typer.Option("--from-image", help="Image that somebody publishes, with registry and tag.")
    ] = "",
    values: Annotated[Path | None, typer.Option("--values", help="Values that the chart can't do without.")] = None,
    provides: Annotated[
        list[str] | None, typer.Option("--provides", help="Contract that it serves, e.g. s3; repeatable.")
    ] = None,
    requires: Annotated[
        list[str] | None, typer.Option("--requires", help="Contract that it needs, e.g. postgres; repeatable.")
    ] = None,
    directory: Annotated[Path, typer.Option("--directory", help="Where its folder is made.")] = Path(),
) -> ExitCode:
    """Begin a component: a folder that passes the checks, with comments that say what to fill in."""
    from aistack.authoring.begin import Wish, begin, of_image, of_own
    from aistack.authoring.charts import of_chart
    from aistack.catalog.locate import catalog_folder

    if chart and image:
        raise InvalidError("--from-chart and --from-image exclude each other: a chart names its images; leave one out")
    session = session_of(ctx)
    catalog, wish = session.catalog(), Wish(name, tuple(provides or ()), tuple(requires or ()))
    if chart:
        draft = of_chart(wish.provides, chart, values)
    else:
        draft = of_image(wish, catalog, image) if image else of_own(wish, catalog)
    begun = begin(wish, draft, catalog, catalog_folder(session.catalog_folder), directory)
    for file in sorted(file for file in begun.folder.rglob("*") if file.is_file()):
        if "chart" not in file.relative_to(begun.folder).parts[:-1]:
            typer.echo(str(file))
    for problem in begun.problems:
        typer.echo(str(problem), err=True)
    if begun.problems:
        return complain("it doesn't pass yet; correct what is told above in its files, and check it again")
    aside(f"next: fill in {begun.folder}/component.yaml, then: {session.command(f'component check {begun.folder}')}")
    return ExitCode.OK


def check(
    ctx: typer.Context,
    named: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDERS]...", help="Folders of components or contracts; default: the current one."),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Write tests/*/expected.yaml anew first.")] = False,
    output: Output = None,
) -> ExitCode:
    """Say what is wrong with a component's folder, by file and line."""
    from aistack.authoring.checks import Author
    from aistack.cli.checking import tell_problems

    base = session_of(ctx).catalog()
    folders = named or [Path()]
    authors = [Author(folder, base) for folder in folders]
    for author in authors if update else ():
        for file in author.update():
            aside(f"{file}: written")
    problems = [problem for author in authors for problem in author.check()]
    return tell_problems(problems, ", ".join(map(str, folders)), output)
