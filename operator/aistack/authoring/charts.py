"""Drafts a component of a Helm chart: what it makes of its defaults tells images, workloads, ports, what is left out.

What a stack may not have is turned off by the values that charts usually have for it, else left out by its template.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from aistack.authoring.chartvalues import turned_off, values_text, with_expressions
from aistack.authoring.drafts import Draft, DraftPort, DraftWorkload
from aistack.catalog.charts import RELEASE, Chart, ChartObject
from aistack.catalog.models import Image
from aistack.errors import InvalidError
from aistack.objects.artifact import TAG, digest_of
from aistack.objects.manifest import Manifest, ObjectKind, canonical
from aistack.planning.charts import KINDS, is_test
from aistack.planning.fit import WORKLOADS
from aistack.planning.pods import containers, pod_template
from aistack.sources.chartfiles import ChartFiles, read_archive, read_folder
from aistack.sources.documents import documents
from aistack.sources.helm import Helm
from aistack.sources.process import ExitError
from aistack.sources.scan import references

_REMOTE = re.compile(rf"(?P<repository>(?:oci|https)://.+)/(?P<name>[-a-z0-9]+):(?P<version>{TAG})")
_PLACE = ("path", "repository", "name", "version", "digest")
CHART = "chart"
"""The folder that a chart is copied to."""
_SERVER = "server"


@dataclass(frozen=True)
class _Found:
    """A chart that was looked into."""

    files: ChartFiles
    chart: Chart

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """Its Chart.yaml."""
        return _mapping(self.files["Chart.yaml"])

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """Its values.yaml."""
        return _mapping(self.files.get("values.yaml", b""))

    def made(self, values: Mapping[str, Any], helm: Helm) -> list[ChartObject]:
        """Return what it makes of values, but Helm's tests.

        Raises:
            InvalidError: it can't be rendered.
            ToolError: there is no helm, or it takes too long.
        """
        for error in references(self.files, "the chart"):
            raise error
        with tempfile.TemporaryDirectory(prefix="aistack-chart-") as scratch:
            for path, content in self.files.items():
                file = Path(scratch) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            try:
                text = helm.template(Path(scratch), RELEASE, "default", canonical(dict(values)))
                found = documents(text.decode())
            except (ExitError, ValueError) as error:
                words = " ".join(str(error).split())
                raise InvalidError(f"--from-chart: {words}; give the values that it needs by --values FILE") from None
        if strange := [o.template for o in found if not _is_object(o.document)]:
            raise InvalidError(f"--from-chart: {strange[0]} renders to what is no Kubernetes object; correct it first")
        return [o for o in found if not is_test(o.document)]


def _is_object(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return False
    return all(isinstance(document.get(k), str) for k in ("apiVersion", "kind")) and "name" in document["metadata"]


def of_chart(provides: Sequence[str], place: str, given: Path | None = None, helm: Helm | None = None) -> Draft:
    """Draft a component of a Helm chart.

    Args:
        provides: contracts that it serves, at its ports in their order.
        place: the chart's folder, or where it is in a repository, with ``:version``.
        given: file with values that it can't be rendered without.
        helm: the program; by default this machine's.

    Raises:
        InvalidError: there is no chart, it can't be rendered, or it has fewer ports than contracts.
        NotReadyError: it can't be fetched, or there is no helm.
    """
    helm = helm or Helm()
    found = _remote(place, helm) if "://" in place else _local(Path(place))
    values = {**turned_off(found.defaults), **(_mapping(given.read_bytes()) if given else {})}
    objects = found.made(values, helm)
    without = sorted(_refused(objects))
    kept = [o.document for o in objects if _inner(o.template) not in without]
    images, storage = _images(kept), any(map(_keeps_data, kept))
    about = found.about
    return Draft(
        version=str(about.get("appVersion") or about["version"]).removeprefix("v"),
        images=images,
        workloads=list(_workloads(kept, provides)),
        about=str(about.get("description") or f"What people do with {about['name']}, in one sentence."),
        home=str(about.get("home") or "https://example.com"),
        storage=storage,
        chart={
            "place": {key: value for key in _PLACE if (value := getattr(found.chart, key))},
            "without": without,
            "secrets": sorted(m["metadata"]["name"] for m in kept if m["kind"] == "Secret"),
        },
        values=values_text(with_expressions(values, found.defaults, images, storage=storage)),
        copied={f"{CHART}/{path}": content for path, content in found.files.items()} if found.chart.path else {},
    )


def _keeps_data(manifest: Manifest) -> bool:
    return manifest["kind"] == "PersistentVolumeClaim" or bool(manifest.get("spec", {}).get("volumeClaimTemplates"))


def _local(folder: Path) -> _Found:
    if not (folder / "Chart.yaml").is_file():
        remedy = "name the chart's folder, or oci://HOST/PATH/NAME:VERSION or https://HOST/PATH/NAME:VERSION"
        raise InvalidError(f"--from-chart {folder}: holds no Chart.yaml; {remedy}")
    return _Found(read_folder(folder), Chart(path=CHART))


def _remote(place: str, helm: Helm) -> _Found:
    if not (named := _REMOTE.fullmatch(place)):
        raise InvalidError(
            f"--from-chart {place}: is no place of a chart; write e.g. oci://r.example.com/charts/shop:1.4.2"
        )
    try:
        asked = Chart(**named.groupdict(), digest=f"sha256:{'0' * 64}")  # helm pull asks for no digest
    except ValidationError as error:
        raise InvalidError(f"--from-chart {place}: {error.errors()[0]['loc'][0]} is none of a chart") from None
    with tempfile.TemporaryDirectory(prefix="aistack-chart-") as scratch:
        archive = helm.pull(asked, Path(scratch))
        return _Found(read_archive(archive), asked.model_copy(update={"digest": digest_of(archive.read_bytes())}))


def _mapping(content: bytes) -> Mapping[str, Any]:
    try:
        loaded = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise InvalidError(f"the chart can't be read: {error}") from None
    return loaded if isinstance(loaded, dict) else {}


def _refused(objects: Sequence[ChartObject]) -> Iterator[str]:
    """Yield templates that make nothing but what a stack may not have."""
    for template in {o.template for o in objects}:
        made = [o.document for o in objects if o.template == template]
        if not any(ObjectKind(m["apiVersion"], m["kind"]) in KINDS for m in made):
            yield _inner(template)


def _inner(template: str) -> str:
    """Return a template's path in the chart's folder, of what helm calls it."""
    return template.partition("/")[2]


def _images(objects: Sequence[Manifest]) -> dict[str, Image]:
    """Return the images of all pods by name: that of the only one is the server."""
    used: dict[str, str] = {}
    for manifest in objects:
        if (pods := pod_template(manifest)) is not None:
            for container in containers(pods["spec"]):
                used.setdefault(str(container.get("image")), str(container.get("name")))
    if len(used) == 1:
        used = dict.fromkeys(used, _SERVER)
    named: dict[str, Image] = {}
    for reference, name in used.items():
        named[name if name not in named else f"{name}-{len(named)}"] = _image(reference)
    return named


def _image(reference: str) -> Image:
    """Read a reference as a runtime does, which knows a registry and a tag where none are named."""
    place, _, last = reference.partition("@")[0].rpartition("/")
    name, _, tag = last.partition(":")
    path = f"{place}/{name}" if place else name
    host, _, rest = path.partition("/")
    if not rest or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", path if rest else f"library/{path}"
    try:
        return Image(registry=host, repository=rest, tag=tag or "latest")
    except ValidationError:
        problem = f"--from-chart: {reference!r} is no image that can be named in component.yaml"
        raise InvalidError(f"{problem}; give another by --values FILE") from None


def _workloads(objects: Sequence[Manifest], provides: Sequence[str]) -> Iterator[DraftWorkload]:
    audiences = iter([*(f"contract: {name}" for name in provides), *(() if provides else ("page: true",))])
    for manifest in (m for m in objects if m["kind"] in WORKLOADS):
        pods = manifest["spec"]["template"]
        services = [m for m in objects if m["kind"] == "Service" and _selects(m, pods)]
        role = _role((services or [manifest])[0]["metadata"]["name"])
        yield DraftWorkload(role, [_port(name, n, role, audiences) for n, name in _ports(services, pods)])
    if left := list(audiences):
        raise InvalidError(f"--provides: the chart has no port left for {left[0]!r}; leave it out, and add it by hand")


def _selects(service: Manifest, pods: Mapping[str, Any]) -> bool:
    selector = service["spec"].get("selector") or {}
    labels = pods["metadata"].get("labels") or {}
    return bool(selector) and selector.items() <= labels.items()


def _role(name: str) -> str:
    return name.removeprefix(RELEASE).strip("-") or _SERVER


def _ports(services: Sequence[Manifest], pods: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield the numbers that pods listen at, and names."""
    named = {p.get("name"): p["containerPort"] for c in containers(pods["spec"]) for p in c.get("ports") or ()}
    seen = set()
    for port in (port for service in services for port in service["spec"].get("ports") or ()):
        target = port.get("targetPort", port["port"])
        number = named.get(target, port["port"] if isinstance(target, str) else target)
        if number not in seen:
            seen.add(number)
            yield number, str(port.get("name") or "http")


def _port(name: str, number: int, role: str, audiences: Iterator[str]) -> DraftPort:
    short = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    if "metrics" in short:
        return DraftPort(short, number, "metrics: true")
    return DraftPort(short, number, next(audiences, f"internal: [{role}]"))
