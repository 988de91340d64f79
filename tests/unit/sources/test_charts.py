"""Charts, rendered by the real helm: remembered, refused with cause and remedy, and without an end in nothing."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from aistack.catalog.charts import Chart, ChartObjects, ChartRequest, ChartSource, folder_digest
from aistack.errors import AIStackError, CatalogError, ToolError
from aistack.sources import charts as module
from aistack.sources import helm as helm_module
from aistack.sources.charts import Charts
from aistack.sources.helm import Helm
from aistack.sources.process import Limits
from tests.chart.helm import helm
from tests.charts import SHOP

ABOUT = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  a: %s\n"


class Lab:
    """Charts of one test, and what is asked of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, 0.0
        self.charts = Charts(Helm(str(helm())), folder / "cache", clock=lambda: self.now)

    def source(self, template: str, more: Mapping[str, str] | None = None, **chart: Any) -> ChartSource:
        folder = self.folder / "web"
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in {"Chart.yaml": ABOUT, "templates/x.yaml": template, **(more or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return ChartSource(Chart(path="web", **chart), folder_digest(folder), "", "components/web", folder)

    def request(self, source: ChartSource, **values: Any) -> ChartRequest:
        return ChartRequest(source, "demo-web", "ml", orjson.dumps(values))

    def render(self, template: str, values: Mapping[str, Any] | None = None, **how: Any) -> ChartObjects:
        return self.charts.render(self.request(self.source(template, **how), **(values or {})))

    def refuse(self, template: str, kind: type[AIStackError] = CatalogError, **how: Any) -> str:
        with pytest.raises(kind) as refused:
            self.render(template, **how)
        return str(refused.value)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def data(objects: ChartObjects) -> dict[str, str]:
    (found,) = objects
    return dict(found.document["data"])


def test_a_chart_gets_values_release_and_namespace_and_no_cluster(lab: Lab) -> None:
    template = (
        MAP % "{{ list .Values.x .Release.Namespace .Release.IsInstall .Capabilities.KubeVersion.Version | toJson }}"
    )
    (found,) = lab.render(template, {"x": "y"})
    assert found.template == "web/templates/x.yaml"
    assert found.document["metadata"]["name"] == "demo-web"
    assert found.document["data"]["a"] == ["y", "ml", True, "v1.30.0"]


def test_nothing_of_the_users_helm_is_used(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("HELM_KUBEVERSION", "1.10.0")
    assert data(lab.render(MAP % "{{ .Release.Namespace }}")) == {"a": "ml"}


def test_what_was_rendered_is_remembered_and_not_rendered_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    request = lab.request(lab.source(MAP % "b"))
    assert lab.charts.known(request) is None
    first = lab.charts.render(request)
    monkeypatch.setattr(Helm, "template", None)
    assert lab.charts.render(request) is first is lab.charts.known(request)


def test_a_refusal_is_remembered_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    request = lab.request(lab.source("{{ fail `no` }}"))
    with pytest.raises(CatalogError):
        lab.charts.render(request)
    monkeypatch.setattr(Helm, "template", None)
    for ask in (lab.charts.render, lab.charts.known):
        with pytest.raises(CatalogError, match="no"):
            ask(request)


def test_other_values_and_other_charts_are_rendered_anew(lab: Lab) -> None:
    template = MAP % "{{ .Values.x }}"
    assert data(lab.render(template, {"x": "1"})) == {"a": 1}
    assert data(lab.render(template, {"x": "b"})) == {"a": "b"}
    assert data(lab.render(MAP % "c", {"x": "b"})) == {"a": "c"}


REFUSED = {
    "syntax": ("{{ if }}", "parse error at (web/templates/x.yaml:1): missing value for if"),
    "missing-value": ('a: {{ required "x must be set" .Values.x }}', "x must be set"),
    "no-yaml": ("a: [", "web/templates/x.yaml"),
    "wrong-type": ("a: {{ .Values.x.y.z }}", "nil pointer evaluating"),
    "unknown-function": ("a: {{ lookupp }}", 'function "lookupp" not defined'),
    "without-end": ('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}', "error calling include"),
    "twice": ("kind: A\nkind: B\n", "stands here twice"),
}


@pytest.mark.parametrize(("template", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_rendered_is_refused_with_its_file(lab: Lab, template: str, says: str) -> None:
    message = lab.refuse(template)
    assert message.startswith("components/web/component.yaml: ")
    assert says in message


def test_lookup_is_refused_by_file_and_line_even_in_a_subchart(lab: Lab) -> None:
    more = {
        "charts/lib/Chart.yaml": "name: lib\nversion: 0.1.0",
        "charts/lib/templates/a": 'x\n{{ lookup "a" "b" "" "" }}',
    }
    assert lab.refuse(MAP % "b", more=more).startswith("components/web/web/charts/lib/templates/a:2: calls lookup")


def test_a_file_with_lookup_can_be_left_out(lab: Lab) -> None:
    more = {"templates/job.yaml": '{{ lookup "a" "b" "" "" }}'}
    assert data(lab.render(MAP % "b", more=more, without=("templates/job.yaml",))) == {"a": "b"}
    assert "has no file templates/other.yaml" in lab.refuse(MAP % "b", without=("templates/other.yaml",))


@pytest.mark.parametrize("call", ["randAlphaNum 9", 'genSelfSignedCert "a" nil nil 1 | toJson', "uuidv4"])
def test_a_chart_that_renders_differently_twice_is_refused_by_object_and_field(lab: Lab, call: str) -> None:
    message = lab.refuse(MAP % f"{{{{ {call} | quote }}}}")
    assert "makes another ConfigMap demo-web: data.a each time" in message
    assert "chart.secrets" in message


def test_so_is_one_that_does_it_by_a_value_of_the_users(lab: Lab) -> None:
    message = lab.refuse(MAP % "{{ tpl .Values.x . }}", values={"x": "{{ randAlphaNum 9 }}"})
    assert "makes another ConfigMap demo-web: data.a each time" in message


def test_a_secret_that_is_declared_may_differ(lab: Lab) -> None:
    template = (MAP % "{{ randAlphaNum 9 | quote }}").replace("ConfigMap", "Secret").replace(".Name }}", ".Name }}-tls")
    assert "makes another Secret demo-web-tls: data.a each time" in lab.refuse(template)
    assert len(data(lab.render(template, secrets=("release-tls",)))["a"]) == 9


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Little time and memory."""
    monkeypatch.setattr(helm_module, "RENDER", Limits(seconds=4, memory=200 * 1024 * 1024))
    yield


ENDLESS = {
    "time": "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}",
    "memory": "{{ range until 2147483647 }}{{ end }}",
    "text": 'a: "{{ $x := "x" }}{{ range until 40 }}{{ $x = cat $x $x }}{{ end }}{{ $x }}"',
}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("template", ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_end_is_ended_and_tried_again_later(lab: Lab, template: str) -> None:
    request, started = lab.request(lab.source(template)), time.monotonic()
    with pytest.raises(ToolError, match=r"components/web/component\.yaml: rendering components/web/web: it "):
        lab.charts.render(request)
    assert time.monotonic() - started < 20
    asked = time.monotonic()
    with pytest.raises(ToolError):
        lab.charts.render(request)
    assert time.monotonic() - asked < 0.1, "it isn't run again at once"
    lab.now = module.PAUSE
    assert lab.charts.known(request) is None


def test_a_chart_that_makes_too_much_is_refused(lab: Lab) -> None:
    assert "more than 500 objects" in lab.refuse("{{ range until 600 }}\n---\na: b\n{{ end }}")
    assert "MiB" in lab.refuse('a: "{{ repeat 20000000 "x" }}"', kind=AIStackError)


def test_a_chart_that_changes_behind_our_back_is_refused(lab: Lab) -> None:
    source = lab.source(MAP % "b")
    (lab.folder / "web" / "templates" / "y.yaml").write_text("a: b")
    with pytest.raises(CatalogError, match="has changed since the catalog was loaded"):
        lab.charts.render(lab.request(source))


def test_without_helm_it_is_said_where_helm_is(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("AISTACK_HELM", raising=False)
    with pytest.raises(ToolError, match=r"helm isn't installed, .* https://helm\.sh"):
        Charts(cache=lab.folder).render(lab.request(lab.source(MAP % "b")))
    monkeypatch.setenv("AISTACK_HELM", str(helm()))
    assert data(Charts(cache=lab.folder).render(lab.request(lab.source(MAP % "b")))) == {"a": "b"}


def test_many_threads_get_the_same(lab: Lab) -> None:
    request, found = lab.request(lab.source(MAP % "b")), []
    threads = [threading.Thread(target=lambda: found.append(data(lab.charts.render(request)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"a": "b"}] * 8


def test_facts_of_a_chart(lab: Lab) -> None:
    folder = SHOP / "chart"
    source = ChartSource(Chart(path="chart"), folder_digest(folder), "", "components/shop", folder)
    assert lab.charts.facts(source).version == "0.3.0"


class Fetching(Helm):
    """helm, whose pull brings what a test says."""

    def pull(self, chart: Chart, folder: Path) -> Path:
        """Write the archive."""
        calls.append(chart.name)
        if content is None:
            raise ToolError("dial tcp: i/o timeout")
        archive = folder / "web-0.1.0.tgz"
        archive.write_bytes(content)
        return archive


calls: list[str | None] = []
content: bytes | None = None


def remote(digest: str) -> ChartSource:
    chart = Chart(repository="https://charts.example", name="web", version="0.1.0", digest=digest)
    return ChartSource(chart, digest, "", "components/web")


def test_a_repository_that_does_not_answer_is_not_asked_again_at_once(lab: Lab) -> None:
    calls.clear()
    charts, request = (
        Charts(Fetching(str(helm())), lab.folder, clock=lambda: lab.now),
        lab.request(remote("sha256:" + 64 * "0")),
    )
    for now, asked in ((0.0, 1), (29.0, 1), (31.0, 2)):
        lab.now = now
        with pytest.raises(ToolError, match=r"web 0\.1\.0 of https://charts\.example can't be fetched: dial tcp"):
            charts.render(request)
        assert len(calls) == asked
    assert list(lab.folder.glob("*.tgz")) == []


def test_sources_are_equal_by_what_they_make(lab: Lab) -> None:
    one = lab.source(MAP % "b")
    assert hash(one) == hash(replace(one, folder=None)) and one == replace(one, folder=None)
    assert one != replace(one, digest="sha256:1")
