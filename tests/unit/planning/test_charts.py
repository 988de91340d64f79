"""A chart as a component: what it makes is wired, labelled, ordered and held to the rules as templates' objects are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aistack import settings
from aistack.api.labels import component_labels, selector_labels
from aistack.catalog.models import Catalog
from aistack.errors import CatalogError, SpecError
from aistack.objects.manifest import Manifest
from aistack.objects.plan import CreateSecret, Observed, RunAction, Unit
from aistack.objects.recipes import Once, recipe_hash
from aistack.planning.charts import KINDS, ChartNeededError, merged_values
from aistack.planning.plan import Planned, plan_stack
from aistack.rendering import plan_new
from tests.charts import SPEC, changed, charts, with_shop
from tests.toy import applied, plan_bytes, stack


def plan(given: str = "", catalog: Catalog | None = None) -> Planned:
    return plan_new(stack(SPEC % given), catalog or with_shop(), charts())


def shop(planned: Planned) -> Unit:
    return next(unit for unit in planned.plan.units if unit.name == "shop")


def find(planned: Planned, kind: str, name: str) -> Manifest:
    steps = [s for s in (*shop(planned).objects(), *shop(planned).actions) if not isinstance(s, CreateSecret)]
    (found,) = (s.manifest for s in steps if (s.ref.kind, s.ref.name) == (kind, name))
    return found


def pod(planned: Planned, kind: str = "Deployment", name: str = "demo-shop-front") -> dict[str, Any]:
    return dict(find(planned, kind, name)["spec"]["template"]["spec"])


def refuse(tmp_path: Path, files: dict[str, str | None], given: str = "") -> str:
    with pytest.raises(CatalogError) as refused:
        plan(given, with_shop(changed(tmp_path, files)))
    return str(refused.value)


@pytest.fixture(scope="module")
def planned() -> Planned:
    return plan()


def test_charts_make_only_what_the_operator_may_make() -> None:
    assert set(settings.KINDS) > KINDS


def test_planning_asks_for_what_must_be_rendered_and_does_nothing_itself() -> None:
    with pytest.raises(ChartNeededError) as needed:
        plan_stack(stack(SPEC % ""), with_shop(), Observed())
    request = needed.value.request
    assert (request.release, request.namespace) == ("demo-shop", "ml")
    assert b'"existingSecret":"demo-shop-sql-1"' in request.values


def test_the_same_stack_gives_the_same_plan(planned: Planned) -> None:
    assert plan_bytes(plan().plan) == plan_bytes(planned.plan)


def test_values_come_from_bindings_images_and_the_users_values() -> None:
    found = plan(", values: {greeting: hi, chart: {colour: red, extra: {a: [1]}}}")
    assert find(found, "ConfigMap", "demo-shop-config")["data"] == {
        "greeting": "hi",
        "colour": "red",
        "extra": '{"a":[1]}',
    }
    container = pod(found)["containers"][0]
    assert container["image"] == "registry.aistack.dev/shop:1.2-1"
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == "demo-shop-sql-1"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("{greeting: x}", "greeting"),
        ("{image: {tag: x}}", "image.tag"),
        ("{image: x}", "image"),
        ("{podLabels: {aistack.dev/role: x}}", "podLabels[aistack.dev/role]"),
        ("{fullnameOverride: {a: b}}", "fullnameOverride"),
    ],
)
def test_what_the_component_sets_cannot_be_set(given: str, field: str) -> None:
    with pytest.raises(SpecError, match="is set by the component") as refused:
        plan(f", values: {{chart: {given}}}")
    assert refused.value.field == f"spec.components[shop].values.chart.{field}"


def test_values_beside_those_of_the_component_are_merged_at_every_depth() -> None:
    ours, theirs = {"a": {"b": 1, "empty": {}}, "c": 2}, {"a": {"d": 3, "empty": {"x": 1}}, "e": [4]}
    expected = {"a": {"b": 1, "d": 3, "empty": {"x": 1}}, "c": 2, "e": [4]}
    assert merged_values(ours, theirs, "values.chart") == expected


def test_the_values_of_charts_are_a_map(planned: Planned) -> None:
    with pytest.raises(SpecError, match=r"spec\.components\[shop\]\.values\.chart"):
        plan(", values: {chart: red}")


def test_pods_have_their_roles_labels_and_selectors_follow(planned: Planned) -> None:
    chart = {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "demo-shop"}
    for kind, name, role in (("Deployment", "demo-shop-front", "server"), ("StatefulSet", "demo-shop-store", "store")):
        found = find(planned, kind, name)["spec"]
        ours = selector_labels("demo", "shop", role)
        assert found["selector"]["matchLabels"] == {**chart, "app.kubernetes.io/component": role, **ours}
        labels = found["template"]["metadata"]["labels"]
        assert {**component_labels("demo", "shop", "1.2"), **ours}.items() <= labels.items()
        assert found["selector"]["matchLabels"].items() <= labels.items()


def test_services_lead_to_serving_pods_and_never_to_those_of_jobs(planned: Planned) -> None:
    labels = find(planned, "Deployment", "demo-shop-front")["spec"]["template"]["metadata"]["labels"]
    chosen = find(planned, "Service", "demo-shop")["spec"]["selector"]
    assert chosen.items() <= labels.items()
    for step in shop(planned).jobs():
        assert not chosen.items() <= step.manifest["spec"]["template"]["metadata"]["labels"].items()


def test_pods_are_hardened_sized_and_roll_with_their_configuration(planned: Planned) -> None:
    container = pod(planned)["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["requests"] == {"cpu": "100m", "memory": "64Mi"}
    annotations = find(planned, "Deployment", "demo-shop-front")["spec"]["template"]["metadata"]["annotations"]
    assert list(annotations) == ["aistack.dev/config-hash"], "the chart's checksum, another each time, is gone"
    changed_values = plan(", values: {chart: {colour: red}}")
    after = find(changed_values, "Deployment", "demo-shop-front")["spec"]["template"]["metadata"]["annotations"]
    assert after != annotations


def test_volumes_of_a_stateful_set_are_objects_of_their_own_and_kept(planned: Planned) -> None:
    (claim,) = (s for s in shop(planned).prepare if s.ref.kind == "PersistentVolumeClaim")
    assert (claim.ref.name, claim.retain) == ("demo-shop-store-data", True)  # type: ignore[union-attr]
    assert "volumeClaimTemplates" not in find(planned, "StatefulSet", "demo-shop-store")["spec"]
    assert pod(planned, "StatefulSet", "demo-shop-store")["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "demo-shop-store-data"}}
    ]


def test_a_secret_that_the_chart_fills_is_made_once_and_referred_to_by_its_generation(planned: Planned) -> None:
    (secret,) = (s for s in shop(planned).prepare if isinstance(s, CreateSecret) and s.base == "demo-shop-tls")
    assert secret.ref.name == "demo-shop-tls-1"
    assert list(secret.recipes) == ["key"]
    found = pod(planned)
    assert found["volumes"][0]["secret"]["secretName"] == "demo-shop-tls-1"
    assert found["containers"][0]["envFrom"] == [{"secretRef": {"name": "demo-shop-tls-1"}}]
    for job in (a for a in shop(planned).actions if "/hook/" in a.key):
        assert (
            job.manifest["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]
            == "demo-shop-tls-1"
        )


def test_its_values_are_nowhere_to_be_seen(planned: Planned) -> None:
    (recipe,) = next(
        s for s in shop(planned).prepare if isinstance(s, CreateSecret) and s.base == "demo-shop-tls"
    ).recipes.values()
    assert isinstance(recipe, Once)
    assert len(recipe.value) == 32
    assert recipe.value not in repr(planned)
    assert recipe_hash({"key": recipe}) == recipe_hash({"key": Once("another")})


def test_it_stays_when_the_chart_makes_another_value(tmp_path: Path, planned: Planned) -> None:
    again = plan_stack(stack(SPEC % ""), with_shop(), applied(planned), known=charts().known)
    (secret,) = (s for s in shop(again).prepare if isinstance(s, CreateSecret) and s.base == "demo-shop-tls")
    assert secret.ref.name == "demo-shop-tls-1"


def test_hooks_are_jobs_in_the_order_of_their_weights_after_the_claims(planned: Planned) -> None:
    found = {action.key: action for action in shop(planned).actions}
    claim, first, second = (
        found[key] for key in ("shop/sql", "shop/hook/demo-shop-first", "shop/hook/demo-shop-second")
    )
    assert (first.follows, second.follows) == ((claim.ref,), (first.ref,))
    assert (first.blocking, first.late) == (True, False)
    once, plain = found["shop/hook/demo-shop-once"], found["shop/hook/demo-shop-plain"]
    assert (once.blocking, once.late, once.ref.name) == (False, True, "demo-shop-once-once")
    assert (plain.blocking, plain.late) == (False, False)


def test_hooks_run_again_with_each_release_and_installation_alone_does_not(planned: Planned) -> None:
    def names(where: Planned) -> dict[str, str]:
        return {a.key: a.ref.name for a in shop(where).actions if "/hook/" in a.key}

    before, after = names(planned), names(plan(", values: {chart: {colour: red}}"))
    assert {key for key in before if before[key] == after[key]} == {"shop/hook/demo-shop-once"}


def test_jobs_are_hardened_named_and_cleaned_up(planned: Planned) -> None:
    job: RunAction = next(a for a in shop(planned).actions if a.key == "shop/hook/demo-shop-first")
    assert job.manifest["spec"]["ttlSecondsAfterFinished"] == 60
    assert "annotations" not in job.manifest["metadata"], "Argo CD would take it for a hook of its own"
    container = job.manifest["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"memory": "256Mi"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_tests_are_not_made_and_what_the_component_takes_away_is_not_either(planned: Planned) -> None:
    kinds = {(step.ref.kind, step.ref.name) for step in shop(planned).objects()}
    assert ("Pod", "demo-shop-test") not in kinds
    assert ("NetworkPolicy", "demo-shop") not in kinds
    assert ("NetworkPolicy", "demo-shop-server") in kinds, "and the operator's own are made"
    assert ("ConfigMap", "demo-shop-lib") in kinds, "a subchart's objects are its own"


def test_the_components_own_patches_are_applied(planned: Planned) -> None:
    assert {"name": "PATCHED", "value": "component"} in pod(planned)["containers"][0]["env"]


def test_users_patch_what_the_chart_makes() -> None:
    patch = "{target: {kind: Deployment}, strategicMerge: {spec: {minReadySeconds: 7}}}"
    assert find(plan(f", patches: [{patch}]"), "Deployment", "demo-shop-front")["spec"]["minReadySeconds"] == 7


def objects(kind: str, body: str = "", api: str = "v1", name: str = "{{ .Release.Name }}-x") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{body}"


RBAC = "rbac.authorization.k8s.io/v1"
POD = """spec:
  template:
    metadata: {labels: {aistack.dev/role: server}}
    spec:
      %s
      containers: [%s]
"""
MAIN = "{name: main, image: registry.aistack.dev/shop:1.2-1%s}"
REFUSED = {
    "cluster-role": (objects("ClusterRole", api=RBAC), "ClusterRole demo-shop-x: kind is ClusterRole of"),
    "cluster-role-binding": (objects("ClusterRoleBinding", api=RBAC), "a stack grants nothing beyond its namespace"),
    "binding-of-cluster-admin": (
        objects("RoleBinding", "roleRef: {kind: ClusterRole, name: cluster-admin}\n", RBAC),
        "makes the RoleBinding demo-shop-x, whose roleRef names the ClusterRole 'cluster-admin'",
    ),
    "binding-of-everybody": (
        objects(
            "RoleBinding",
            "roleRef: {kind: Role, name: a}\nsubjects: [{kind: Group, name: 'system:authenticated'}]\n",
            RBAC,
        ),
        "subjects[0] is the Group 'system:authenticated'",
    ),
    "wildcard": (
        objects("Role", "rules: [{apiGroups: [''], resources: ['*'], verbs: [get]}]\n", RBAC),
        "whose rules[0].resources has a wildcard",
    ),
    "definition": (
        objects("CustomResourceDefinition", api="apiextensions.k8s.io/v1"),
        "its administrator installs them",
    ),
    "custom": (objects("ServiceMonitor", api="monitoring.coreos.com/v1"), "the operator has no right to make it"),
    "bare-pod": (objects("Pod", "spec: {containers: []}\n"), "kind is Pod of v1"),
    "old-api": (
        objects("Deployment", api="extensions/v1beta1", body=POD % ("", "")),
        "kind is Deployment of extensions",
    ),
    "ingress": (objects("Ingress", api="networking.k8s.io/v1"), "spec.expose of the stack"),
    "secret": (objects("Secret", "data: {a: Yg==}\n"), "makes the Secret demo-shop-x; describe it under `secrets`"),
    "binary-secret": (
        objects("Secret", "data: {a: /w==}\n", name="{{ .Release.Name }}-tls"),
        "Secret demo-shop-tls: data holds what is no text",
    ),
    "other-namespace": (
        objects("ConfigMap").replace("metadata:", "metadata:\n  namespace: kube-system"),
        "metadata.namespace is 'kube-system'",
    ),
    "foreign-name": (objects("ConfigMap", name="config"), "makes the ConfigMap 'config', a name that isn't"),
    "no-name": ("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "ConfigMap without metadata.name"),
    "no-object": ("a: b\n", "chart shop/templates/x.yaml: renders to a document that is no Kubernetes object"),
    "host-path": (
        objects("Deployment", POD % ("volumes: [{name: h, hostPath: {path: /}}]", MAIN % ""), "apps/v1"),
        "Deployment demo-shop-x: volume 'h': hostPath is not allowed",
    ),
    "privileged": (
        objects("Deployment", POD % ("", MAIN % ", securityContext: {privileged: true}"), "apps/v1"),
        "container 'main': privileged is not allowed",
    ),
    "other-image": (
        objects("Deployment", POD % ("", "{name: main, image: 'docker.io/x:latest'}"), "apps/v1"),
        "container 'main': its image is none of component.yaml's",
    ),
    "job-with-another-image": (
        objects("Job", POD % ("restartPolicy: Never", "{name: main, image: 'docker.io/x:latest'}"), "batch/v1"),
        "its image is none of component.yaml's",
    ),
    "job-with-host-path": (
        objects("Job", POD % ("volumes: [{name: h, hostPath: {path: /}}]", MAIN % ""), "batch/v1"),
        "volume 'h': hostPath is not allowed",
    ),
    "foreign-job": (
        objects("Job", POD % ("restartPolicy: Never", MAIN % ""), "batch/v1", "cleaner"),
        "a name that isn't the component's own",
    ),
    "no-role": (
        objects("Deployment", (POD % ("", MAIN % "")).replace("aistack.dev/role: server", "a: b"), "apps/v1"),
        "Deployment demo-shop-x: its pods have no role of component.yaml",
    ),
    "expressions": (
        objects(
            "Deployment",
            (POD % ("", MAIN % "")).replace("  template:", "  selector: {matchExpressions: [{key: a}]}\n  template:"),
            "apps/v1",
        ),
        "spec.selector.matchExpressions can't be followed",
    ),
    "selector-of-nothing": (
        objects("Service", "spec: {selector: {a: nothing}, ports: [{port: 1}]}\n"),
        "Service demo-shop-x: spec.selector meets no pod",
    ),
    "no-shape": (objects("Deployment", "spec: []\n", "apps/v1"), "spec must be a map"),
}


@pytest.mark.parametrize(("template", "says"), REFUSED.values(), ids=REFUSED)
def test_what_a_chart_may_not_make(tmp_path: Path, template: str, says: str) -> None:
    files = {"chart/templates/x.yaml": template}
    if "demo-shop-tls" in says:
        files["chart/templates/server.yaml"] = ""  # it makes a Secret of that name
        files["component.yaml"] = without_patches()
    message = refuse(tmp_path, files)
    assert says in message
    assert message.startswith("components/shop/component.yaml: chart")


def without_patches() -> str:
    text = (Path(__file__).parents[2] / "catalogs/charts/components/shop/component.yaml").read_text()
    return text.partition("  patches:")[0]


def hook(events: str, kind: str = "Job") -> str:
    body = POD % ("restartPolicy: Never", MAIN % "")
    made = objects(kind, body if kind == "Job" else "", "batch/v1" if kind == "Job" else "v1")
    return made.replace("metadata:\n  name", f"metadata:\n  annotations: {{helm.sh/hook: '{events}'}}\n  name", 1)


HOOKS = {
    "delete": ("pre-delete", "names 'pre-delete', and nothing of a stack runs when it goes"),
    "rollback": ("post-rollback", "names 'post-rollback', and nothing of a stack runs when it goes"),
    "both": ("pre-install,post-install", "names moments before and after a release"),
    "upgrade": ("pre-upgrade", "names upgrades alone"),
}


@pytest.mark.parametrize(("events", "says"), HOOKS.values(), ids=HOOKS)
def test_moments_that_the_operator_does_not_know_are_refused(tmp_path: Path, events: str, says: str) -> None:
    message = refuse(tmp_path, {"chart/templates/x.yaml": hook(events)})
    assert f"Job demo-shop-x: metadata.annotations[helm.sh/hook] {says}" in message


def test_what_hooks_need_is_made_and_kept(tmp_path: Path) -> None:
    catalog = with_shop(changed(tmp_path, {"chart/templates/x.yaml": hook("pre-install, pre-upgrade", "ConfigMap")}))
    assert "annotations" not in find(plan(catalog=catalog), "ConfigMap", "demo-shop-x")["metadata"]


def test_several_pods_with_a_volume_each_are_refused() -> None:
    with pytest.raises(
        CatalogError, match=r"StatefulSet demo-shop-store: spec\.volumeClaimTemplates makes volumes for several"
    ):
        plan(", values: {chart: {replicas: 2}}")


PATCHES: dict[str, tuple[str, str]] = {
    "nothing-met": (
        "  - {target: {kind: Pod, name: x}, strategicMerge: {}}",
        "chart.patches[0].target: meets no object: Pod x",
    ),
    "no-field": ("  - {target: {kind: Service}, jsonPatch: [{op: remove, path: /x}]}", "chart.patches[0].jsonPatch"),
}


@pytest.mark.parametrize(("patch", "says"), PATCHES.values(), ids=PATCHES)
def test_a_patch_of_the_component_that_cannot_be_applied(tmp_path: Path, patch: str, says: str) -> None:
    message = refuse(tmp_path, {"component.yaml": f"{without_patches()}  patches:\n  {patch.strip()}\n"})
    assert says in message


def test_the_template_of_values_is_held_to_the_language(tmp_path: Path) -> None:
    assert "values.yaml.j2:1" in refuse(tmp_path, {"values.yaml.j2": "a: x-{{ name() }}\n"})
    assert "renders to something else than one map" in refuse(tmp_path, {"values.yaml.j2": "- a\n"})


def test_an_empty_template_of_values_gives_the_charts_own(tmp_path: Path) -> None:
    catalog = with_shop(changed(tmp_path, {"values.yaml.j2": "podLabels: {}\n"}))
    with pytest.raises(CatalogError, match="makes another Secret demo-shop-shop-tls"):
        plan(catalog=catalog)


def test_another_chart_is_another_catalog(tmp_path: Path) -> None:
    one, other = with_shop(), with_shop(changed(tmp_path, {"chart/values.yaml": "a: b\n"}))
    assert one.components["shop"].chart != other.components["shop"].chart
    again = changed(tmp_path / "again", {})
    assert again.chart == replace(one.components["shop"].chart)  # type: ignore[type-var]
