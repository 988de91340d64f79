"""Charts: fetched once by digest, staged as plain files, and rendered; what was rendered before is remembered."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aistack.catalog.charts import ChartFacts, ChartObjects, ChartRequest, ChartSource, folder_digest, in_release
from aistack.errors import AIStackError, CatalogError, ToolError
from aistack.sources.chartfiles import ChartError, ChartFiles, read_archive, read_folder
from aistack.sources.documents import difference, documents
from aistack.sources.helm import Helm
from aistack.sources.process import ExitError, LimitError
from aistack.sources.scan import calls_by_chance, facts_of, lookups, may_differ, references

KEPT = 256
"""Most renders that are remembered."""
PAUSE = 300.0
"""Seconds until a chart that took too long, or a repository that didn't answer, is tried again."""


@dataclass(frozen=True)
class _Staged:
    """A chart, ready to be rendered."""

    folder: Path
    facts: ChartFacts
    differs: bool
    """Whether it may give another result each time."""


@dataclass(frozen=True)
class _Failure:
    """What came of a request instead of objects."""

    error: AIStackError
    until: float
    """When it is tried again, by the clock of this process; never for what only another chart or values can mend."""


class Charts:
    """Renders charts. Its methods block and may be called from several threads.

    Args:
        helm: the program.
        cache: where fetched archives are kept by digest.
        clock: counts seconds.
    """

    def __init__(
        self, helm: Helm | None = None, cache: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._helm, self._cache, self._clock = helm or Helm(), cache or default_cache(), clock
        self._known: OrderedDict[ChartRequest, ChartObjects | _Failure] = OrderedDict()
        self._staged: dict[tuple[str, tuple[str, ...]], _Staged] = {}
        self._failed: dict[str, _Failure] = {}
        self._lock = threading.Lock()
        """Held for moments only."""
        self._staging: dict[str, threading.Lock] = {}
        """By digest, each held while that chart is fetched and staged: none is fetched twice at once."""

    @cached_property
    def _home(self) -> tempfile.TemporaryDirectory[str]:
        """Where charts are staged; it goes with this process."""
        return tempfile.TemporaryDirectory(prefix="aistack-charts-")

    def known(self, request: ChartRequest) -> ChartObjects | None:
        """Return what was rendered before; None if it wasn't. Never blocks.

        Raises:
            AIStackError: what came of it instead.
        """
        with self._lock:
            found = self._known.get(request)
            if found is not None:
                self._known.move_to_end(request)
        if not isinstance(found, _Failure):
            return found
        if found.until > self._clock():
            raise found.error
        return None

    def render(self, request: ChartRequest) -> ChartObjects:
        """Return what a chart makes of values.

        Raises:
            CatalogError: the chart can't be used or rendered; with its file where one is known.
            NotReadyError: it can't be fetched now, takes too long or too much memory, or there is no helm.
        """
        if (found := self.known(request)) is not None:
            return found
        try:
            objects = self._rendered(request)
        except CatalogError as error:
            self._remember(request, _Failure(error, float("inf")))
            raise
        except LimitError as error:
            refusal = ToolError(f"{_place(request.source)}: rendering {request.source.title}: {error}")
            self._remember(request, _Failure(refusal, self._clock() + PAUSE))
            raise refusal from None
        self._remember(request, objects)
        return objects

    def facts(self, source: ChartSource) -> ChartFacts:
        """Return what is told of a chart without rendering it.

        Raises:
            CatalogError: the chart can't be used.
            NotReadyError: it can't be fetched now.
        """
        return self._stage(source).facts

    def _remember(self, request: ChartRequest, result: ChartObjects | _Failure) -> None:
        with self._lock:
            self._known[request] = result
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _rendered(self, request: ChartRequest) -> ChartObjects:
        staged = self._stage(request.source)
        times = 2 if staged.differs or calls_by_chance(request.values.decode()) else 1
        with ThreadPoolExecutor(times) as both:
            texts = list(both.map(lambda _: self._text(request, staged), range(times)))
        first, *others = (self._parsed(request, text) for text in dict.fromkeys(texts))
        for other in others:
            self._refuse_difference(request, first, other)
        return first

    def _text(self, request: ChartRequest, staged: _Staged) -> bytes:
        try:
            return self._helm.template(staged.folder, request.release, request.namespace, request.values)
        except ExitError as error:
            problem = f"helm can't render {request.source.title}: {_words(error)}"
            raise CatalogError(_place(request.source), problem) from None

    def _parsed(self, request: ChartRequest, text: bytes) -> ChartObjects:
        try:
            return documents(text.decode("utf-8"))
        except ValueError as error:
            problem = f"{request.source.title} renders to what can't be used: {error}"
            raise CatalogError(_place(request.source), problem) from None

    def _refuse_difference(self, request: ChartRequest, first: ChartObjects, second: ChartObjects) -> None:
        source = request.source
        kept = {in_release(name, request.release) for name in source.chart.secrets}
        if found := difference(first, second, kept):
            raise CatalogError(
                _place(source),
                f"{source.title} makes another {found} each time, and every pass would change it; name the "
                "Secret that holds it under chart.secrets, give the chart a value, or leave the template out by "
                "chart.without",
            )

    def _stage(self, source: ChartSource) -> _Staged:
        key = source.digest, source.chart.without
        if (found := self._staged.get(key)) is not None:
            return found
        with self._lock:
            staging = self._staging.setdefault(source.digest, threading.Lock())
        with staging:
            if (found := self._staged.get(key)) is None:
                try:
                    found = self._new(source)
                except ChartError as error:
                    raise CatalogError(_place(source), f"{source.title} {error}") from None
                except OSError as error:  # e.g. no room
                    raise ToolError(f"{_place(source)}: {source.title} can't be staged: {error}") from None
                self._staged[key] = found
        return found

    def _new(self, source: ChartSource) -> _Staged:
        files = dict(self._files(source))
        for path in source.chart.without:
            if files.pop(path, None) is None:
                raise ChartError(f"has no file {path}, which chart.without leaves out")
        for error in (*lookups(files, source.title), *references(files, source.title)):
            raise error
        name = hashlib.sha256(repr((source.digest, source.chart.without)).encode()).hexdigest()[:16]
        folder = Path(self._home.name) / name
        for path, content in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return _Staged(folder, facts_of(files), may_differ(files))

    def _files(self, source: ChartSource) -> ChartFiles:
        if source.folder is None:
            return read_archive(self._archive(source))
        files = read_folder(source.folder)
        if folder_digest(source.folder) != source.digest:
            raise ChartError("has changed since the catalog was loaded; start this program anew")
        return files

    def _archive(self, source: ChartSource) -> Path:
        """Return the archive of a remote chart, fetched unless it is there."""
        kept = self._cache / f"{source.digest.removeprefix('sha256:')}.tgz"
        if kept.is_file() and _digest(kept) == source.digest:
            return kept
        failure = self._failed.get(source.digest)
        if failure is not None and failure.until > self._clock():
            raise failure.error
        try:
            self._fetch(source, kept)
        except (ToolError, OSError) as error:  # e.g. a cache that can't be written
            refusal = ToolError(f"{_place(source)}: {source.title} can't be fetched: {error}")
            self._failed[source.digest] = _Failure(refusal, self._clock() + PAUSE / 10)
            raise refusal from None
        return kept

    def _fetch(self, source: ChartSource, kept: Path) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            archive = self._helm.pull(source.chart, Path(folder))
            if (found := _digest(archive)) != source.digest:
                raise ChartError(
                    f"has the digest {found}, and chart.digest is {source.digest}: the repository holds another chart "
                    "under this version; look at what changed before you write the new digest"
                )
            read_archive(archive)
            archive.replace(kept)


def default_cache() -> Path:
    """Return where fetched charts are kept: ``~/.cache/aistack/charts`` (honours XDG_CACHE_HOME)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aistack" / "charts"


def _place(source: ChartSource) -> str:
    return f"{source.component}/component.yaml"


def _words(error: ExitError) -> str:
    """Return what helm said, in one line."""
    said = str(error).removesuffix("Use --debug flag to render out invalid YAML").removeprefix("Error: ")
    return " ".join(said.split())


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
