"""All checks of a catalog, or of a folder that is to become part of one: files, images, plans, golden renders."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aistack.authoring.golden import Case, cases, golden_problems
from aistack.catalog.check import check_folders
from aistack.catalog.loader import folders, load_catalog
from aistack.catalog.models import Catalog
from aistack.errors import AIStackError, ArtifactError, CatalogError, InvalidError
from aistack.images import discover
from aistack.objects.artifact import FOLDER, Reference
from aistack.pieces.artifact import PARTS, to_artifact, unpack_piece
from aistack.pieces.examining import Examined, examine
from aistack.pieces.loading import Wanted
from aistack.planning.check import check_plans
from aistack.rendering import plan_new
from aistack.sources.oci import folders_of

_NOWHERE = Reference("folder.invalid", "piece", "folder")
"""The reference of what is in no registry."""


def check_catalog(root: Path) -> list[CatalogError]:
    """Return everything that is wrong with a catalog, each thing once, by file and line."""
    found = [*check_folders(root), *_images(root)]
    try:
        catalog = load_catalog(root)
    except CatalogError as error:  # without all of it nothing can be planned
        return _sorted([*found, error])
    found += check_plans(catalog, plan_new)
    return _sorted(found or golden_problems(root, _components(root), catalog))


@dataclass(frozen=True)
class Author:
    """Somebody's folder: of a component, of a contract, or one with ``components/`` and ``contracts/``."""

    folder: Path
    base: Catalog
    """The catalog that it is to be part of; it takes the place of what has its names there."""

    def check(self) -> list[CatalogError]:
        """Return all that is wrong with it, each thing once, by file and line."""
        try:
            with tempfile.TemporaryDirectory(prefix="aistack-piece-") as scratch:
                return _sorted(self._told(error) for error in self._problems(self._packed(Path(scratch))))
        except ArtifactError as error:  # what can't be pushed
            return [CatalogError(error.artifact, f"{error.problem}; {error.remedy}")]

    def update(self) -> list[Path]:
        """Write what golden cases make now, and return the files that changed; of cases that fail none.

        Raises:
            ArtifactError: it is no folder of a component.
        """
        with tempfile.TemporaryDirectory(prefix="aistack-piece-") as scratch:
            root = self._packed(Path(scratch))
            catalog = self._examined(root).catalog
            if catalog is None:
                return []
            renders = {self._own(c.expected.relative_to(root).as_posix()): _rendered(c, catalog) for c in cases(root)}
        changed = [file for file, text in renders.items() if text and text != _read(file)]
        for file in changed:
            file.write_text(renders[file], "utf-8")
        return changed

    def _packed(self, scratch: Path) -> Path:
        """Return a copy of what would be pushed, as a catalog has it."""
        (packed,) = folders_of(to_artifact(self.folder), FOLDER)
        root = scratch / "piece"
        unpack_piece(str(self.folder), packed, root)
        return root

    def _examined(self, root: Path) -> Examined:
        own = {f"{part}/{folder.name}" for part in PARTS for folder in folders(root / part)}
        wanted = Wanted(str(self.folder), _NOWHERE, frozenset(own & self.base.parts.keys()))
        return examine(root, wanted, self.base)

    def _problems(self, root: Path) -> Iterator[InvalidError]:
        found = self._examined(root)
        yield from found.problems
        if found.catalog is None:
            return
        yield from _images(root)
        yield from golden_problems(root, _components(root), found.catalog)

    def _told(self, error: InvalidError) -> CatalogError:
        """Return a problem as one of the author's own files."""
        if not isinstance(error, CatalogError):
            return CatalogError(str(self.folder), str(error))
        return CatalogError(str(self._own(error.file)), error.problem, error.line)

    def _own(self, file: str) -> Path:
        """Return the author's file of one in the copy."""
        inner = PurePosixPath(file)
        alone = not any((self.folder / part).is_dir() for part in PARTS)
        return self.folder.joinpath(*inner.parts[2 if alone else 0 :])


def _rendered(case: Case, catalog: Catalog) -> str:
    """Return what a case makes; nothing where it can't be planned, which its check tells."""
    try:
        return case.render(catalog)
    except AIStackError:
        return ""


def _read(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""


def _components(root: Path) -> list[str]:
    return [folder.name for folder in folders(root / "components")]


def _images(root: Path) -> Iterator[CatalogError]:
    try:
        images = discover(root)
    except CatalogError as error:
        yield error
        return
    for image in images:
        shared = image.containerfile.parent.parent == root / "images"
        if shared and "platforms" not in image.declared.model_fields_set:
            yield CatalogError(f"images/{image.name}/image.yaml", "says nothing of its platforms")


def _sorted(found: Iterable[CatalogError]) -> list[CatalogError]:
    return sorted({str(error): error for error in found}.values(), key=lambda error: (error.file, error.line))
