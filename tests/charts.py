"""The test component ``shop``, made of a Helm chart with everything that charts do, and charts made for one test."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from aistack.catalog.loader import load_component
from aistack.catalog.models import Catalog, Component
from aistack.sources.charts import Charts
from aistack.sources.helm import Helm
from tests.chart.helm import helm
from tests.toy import toy

ROOT = Path(__file__).parent / "catalogs" / "charts"
SHOP = ROOT / "components" / "shop"
SPEC = "{components: [{name: db}, {name: shop%s}]}"


@cache
def charts() -> Charts:
    """What renders charts in tests, with the helm that tests build."""
    return Charts(Helm(str(helm())))


def with_shop(component: Component | None = None) -> Catalog:
    """The toy catalog and the component ``shop``, or another form of it."""
    shop = component or load_component(ROOT, SHOP)
    return replace(toy(), components={**toy().components, "shop": shop})


def changed(folder: Path, files: Mapping[str, str | None]) -> Component:
    """A copy of ``shop`` in a folder, with some files written anew; without those that are None."""
    import shutil

    copy = Path(shutil.copytree(SHOP, folder / "components" / "shop", dirs_exist_ok=True))
    for name, text in files.items():
        file = copy / name
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    return load_component(folder, copy)


def packed(files: Mapping[str, bytes], members: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """A packed chart of files, their paths as they are, and of members that no chart has."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        for member in members:
            archive.addfile(member)
    return content.getvalue()
