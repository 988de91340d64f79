"""Which catalog a stack is planned from: that of the release that it runs, or of the one that its spec names."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import structlog

from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.errors import ArtifactError, AwaitedError, InvalidError, SpecError
from aistack.pieces.stock import Stock
from aistack.releases.artifact import Release, build
from aistack.releases.choice import LATEST, chosen
from aistack.releases.store import Store

log = structlog.get_logger(__name__)


def release_of(root: Path) -> Release | None:
    """Return an operator's own release; None, and a word in the log, where its catalog is too large to be kept.

    Raises:
        CatalogError: a file of the catalog is wrong.
    """
    try:
        return build(root, version("aistack"), datetime.now(UTC).date().isoformat())
    except ArtifactError as error:
        log.warning("stacks won't stay with this catalog when the operator is upgraded", why=str(error))
        return None


class Releases:
    """Finds the catalogs of stacks.

    Args:
        client: reads kept releases, and writes the operator's own.
        home: the operator's namespace.
        stock: the operator's own catalog, with pieces.
        own: the operator's release; None where it has only a folder, which no stack stays with.
    """

    def __init__(self, client: Client, home: str, stock: Stock, own: Release | None) -> None:
        self._store, self._stock, self._own = Store(client, home), stock, own

    async def prepare(self) -> None:
        """Keep the operator's own release, so that the next version can go on with it.

        Raises:
            NotReadyError: it can't be written.
        """
        if self._own and await self._store.keep(self._own):
            log.info("release kept", release=self._own.name)

    async def catalog_of(self, stack: AIStack) -> Catalog:
        """Return the catalog of a stack, with pieces.

        Raises:
            AwaitedError: the release that its spec names isn't there.
            SpecError: this version can't read it.
            ClusterError: the API server couldn't be asked.
        """
        own = self._own.name if self._own else ""
        name = chosen(stack, own)
        if name == own:
            return self._stock.catalog
        try:
            return self._stock.on(await self._store.catalog(name))
        except AwaitedError:
            if stack.spec.release:
                raise
            return self._stock.catalog  # nobody kept it: what there is now is the best there is
        except InvalidError as error:
            problem = f"this operator can't read the release {name}: {error}"
            raise SpecError("spec.release", problem, f"write {LATEST}, or another one") from error
