"""Harden: whatever a template says, pods are restricted, sized, placed and labelled; a template can't weaken it."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.errors import CatalogError
from aistack.objects.manifest import Manifest
from aistack.planning.harden import CONFIG_HASH, Hardener
from aistack.planning.images import ImageSource
from aistack.planning.plan import Planned
from aistack.planning.pods import pod_template
from aistack.planning.resolve import resolve
from tests.toy import config_json, containers_of, find, objects, plan, stack, starter, toy, values

LABELS = {"aistack.dev/role": "server"}
UNRESTRICTED = {
    "runAsNonRoot": False,
    "allowPrivilegeEscalation": True,
    "capabilities": {"add": ["SYS_ADMIN"]},
    "seccompProfile": {"type": "Unconfined"},
}


def harden(pod: dict[str, Any], spec: str = "{profile: toy}", **container: Any) -> dict[str, Any]:
    """Harden a Deployment of db; returns its pod template."""
    main = {"name": "main", "image": "x", **container}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [main], **pod}}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"template": template},
    }
    asked = stack(spec)
    hardener = Hardener(asked, resolve(asked, toy())["db"], ImageSource.of(asked))
    hardened = pod_template(hardener.harden([manifest])[0])
    assert hardened is not None
    return hardened


def is_restricted(pod: dict[str, Any]) -> bool:
    """Whether a pod meets the restricted Pod Security Standard, judged field by field as admission does."""
    own = pod.get("securityContext", {})
    return not any(pod.get(f) for f in ("hostNetwork", "hostPID", "hostIPC")) and all(
        _container_restricted(own, c.get("securityContext", {}))
        for c in [*pod.get("initContainers", []), *pod["containers"]]
    )


def _container_restricted(pod: dict[str, Any], own: dict[str, Any]) -> bool:
    return (
        own.get("runAsNonRoot", pod.get("runAsNonRoot")) is True
        and own.get("runAsUser", pod.get("runAsUser")) != 0
        and own.get("seccompProfile", pod.get("seccompProfile")) == {"type": "RuntimeDefault"}
        and own.get("allowPrivilegeEscalation") is False
        and own.get("capabilities") == {"drop": ["ALL"]}
        and not own.get("privileged")
    )


WEAKER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing-said": ({}, {}),
    "by-the-pod": ({"securityContext": UNRESTRICTED}, {}),
    "by-the-container": ({}, {"securityContext": UNRESTRICTED}),
    "by-an-init-container": ({"initContainers": [{"name": "i", "image": "x", "securityContext": UNRESTRICTED}]}, {}),
}


@pytest.mark.parametrize(("pod", "container"), WEAKER.values(), ids=WEAKER)
def test_a_template_cannot_weaken_restricted_pod_security(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert is_restricted(harden(pod, **container)["spec"])


PODS = [
    pytest.param(manifest, id=f"{catalog}-{ref.kind}-{ref.name}")
    for catalog, planned in (("toy", plan()), ("starter", plan("{profile: starter}", catalog=starter())))
    for ref, manifest in objects(planned).items()
    if pod_template(manifest) is not None
]


@pytest.mark.parametrize("manifest", PODS)
def test_every_pod_of_ours_is_restricted_and_lean(manifest: Manifest) -> None:
    pod = manifest["spec"]["template"]["spec"]
    assert is_restricted(pod)
    assert pod["enableServiceLinks"] is False
    for container in containers_of(manifest):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert container["image"].startswith("registry.aistack.dev/")
        assert container["imagePullPolicy"] == "IfNotPresent"
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_only_the_hub_talks_to_the_api_server() -> None:
    talking = {
        ref.name
        for ref, manifest in objects(plan("{profile: starter}", catalog=starter())).items()
        if (template := pod_template(manifest)) and template["spec"]["automountServiceAccountToken"]
    }
    assert talking == {"demo-jupyterhub-hub"}


def test_spawned_pods_are_told_the_same_rules() -> None:
    pod = config_json(plan(), "demo-web-config", "worker.json")["pod"]
    spawned = {
        "securityContext": pod["securityContext"],
        "containers": [{"securityContext": pod["containerSecurityContext"]}],
    }
    assert is_restricted(spawned)
    assert pod["containerSecurityContext"]["readOnlyRootFilesystem"] is True
    assert pod["resources"]["requests"] == {"cpu": "100m", "memory": "256Mi"}
    assert pod["labels"]["aistack.dev/identity"] == "web.worker"
    assert "aistack.dev/serving" not in pod["labels"], "its Services never select a spawned pod"


def test_what_a_template_may_choose_it_chooses() -> None:
    own = {"readOnlyRootFilesystem": False, "runAsUser": 999}
    template = harden(
        {"securityContext": {"fsGroup": 70}, "serviceAccountName": "demo-web", "automountServiceAccountToken": True},
        securityContext=own,
        resources={"requests": {"cpu": "1"}},
    )
    pod, container = template["spec"], template["spec"]["containers"][0]
    assert pod["securityContext"]["fsGroup"] == 70
    assert pod["automountServiceAccountToken"] is True
    assert own.items() <= container["securityContext"].items()
    assert container["resources"] == {"requests": {"cpu": "1"}}


@pytest.mark.parametrize("account", [{}, {"serviceAccountName": "default"}, {"serviceAccountName": ""}])
def test_the_namespaces_own_account_gives_no_pod_a_token(account: dict[str, str]) -> None:
    template = harden({**account, "automountServiceAccountToken": True})
    assert template["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("field", ["serviceAccountName", "serviceAccount"])
def test_an_account_that_a_pod_names_gives_it_a_token_if_it_asks(field: str) -> None:
    asked = harden({field: "demo-db", "automountServiceAccountToken": True})["spec"]
    silent = harden({field: "demo-db"})["spec"]
    assert (asked["automountServiceAccountToken"], silent["automountServiceAccountToken"]) == (True, False)


PLACEMENT = """
  profile: toy
  images: {pullPolicy: Always, pullSecrets: [{name: one}, {name: two}]}
  scheduling:
    nodeSelector: {disk: ssd}
    tolerations: [{key: gpu, operator: Exists}]
    priorityClassName: high
"""


def test_placement_and_pull_settings_reach_every_pod() -> None:
    planned = plan(PLACEMENT)
    pods = [t["spec"] for m in objects(planned).values() if (t := pod_template(m))]
    assert len(pods) == 6, "four workloads and two claims"
    for pod in pods:
        assert pod["nodeSelector"] == {"disk": "ssd"}
        assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
        assert pod["priorityClassName"] == "high"
        assert pod["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
        assert {c["imagePullPolicy"] for c in pod["containers"]} == {"Always"}
    spawned = config_json(planned, "demo-web-config", "worker.json")["pod"]
    assert (spawned["nodeSelector"], spawned["priorityClassName"]) == ({"disk": "ssd"}, "high")
    assert spawned["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert spawned["imagePullPolicy"] == "Always"


def rolled(before: Planned, after: Planned) -> set[str]:
    """Names of the Deployments whose pods a change makes anew."""
    old, new = (
        {r.name: m["spec"]["template"] for r, m in objects(p).items() if r.kind == "Deployment"}
        for p in (before, after)
    )
    return {name for name in old if old[name] != new[name]}


def test_a_changed_config_rolls_the_pods_that_use_it_and_no_others() -> None:
    assert rolled(plan(), plan(values("web", {"theme": {"colour": "dark"}}))) == {"demo-web"}
    annotated = find(plan(), "Deployment", "demo-web")["spec"]["template"]["metadata"]["annotations"]
    assert CONFIG_HASH in annotated


@pytest.mark.parametrize(
    "use",
    [
        pytest.param({"volumes": [{"name": "c", "configMap": {"name": "conf"}}]}, id="volume"),
        pytest.param(
            {"volumes": [{"name": "c", "projected": {"sources": [{"configMap": {"name": "conf"}}]}}]}, id="projected"
        ),
        pytest.param(
            {"initContainers": [{"name": "i", "image": "x", "envFrom": [{"configMapRef": {"name": "conf"}}]}]},
            id="environment-of-an-init-container",
        ),
        pytest.param(
            {
                "initContainers": [
                    {
                        "name": "i",
                        "image": "x",
                        "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}}],
                    }
                ]
            },
            id="one-key",
        ),
    ],
)
def test_every_way_to_use_a_config_counts(use: dict[str, Any]) -> None:
    asked = stack()
    hardener = Hardener(asked, resolve(asked, toy())["db"], ImageSource.of(asked))

    def annotation(text: str) -> str:
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": text}}
        template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "m", "image": "x"}], **use}}
        metadata = {"name": "a"}
        workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}
        made = hardener.harden([workload, config])[0]
        return str(made["spec"]["template"]["metadata"]["annotations"][CONFIG_HASH])

    assert annotation("one") == annotation("one") != annotation("two")


EXTRA = "{profile: toy, labels: {example.com/team: ml}, annotations: {example.com/note: hi}}"


def test_extra_labels_and_annotations_reach_every_object_and_pod() -> None:
    planned = plan(EXTRA)
    metadata = [m["metadata"] for m in objects(planned).values()]
    metadata += [t["metadata"] for m in objects(planned).values() if (t := pod_template(m))]
    steps = [s for u in planned.plan.units for s in u.prepare]
    metadata += [s.manifest["metadata"] for s in steps]
    for each in metadata:
        assert each["labels"]["example.com/team"] == "ml"
        assert each["annotations"]["example.com/note"] == "hi"
    spawned = config_json(planned, "demo-web-config", "worker.json")["pod"]
    assert spawned["labels"]["example.com/team"] == "ml"
    assert spawned["annotations"]["example.com/note"] == "hi"


def test_extra_labels_never_reach_a_selector_or_override_ours() -> None:
    asked = stack()
    forged = asked.spec.model_copy(update={"labels": {"aistack.dev/stack": "other", "aistack.dev/component": "other"}})
    asked = asked.model_copy(update={"spec": forged})
    hardener = Hardener(asked, resolve(asked, toy())["db"], ImageSource.of(asked))
    own = {"aistack.dev/component": "forged", "app.kubernetes.io/managed-by": "me", "mine": "kept"}
    made = hardener.harden([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "labels": own}}])[0]
    labels = made["metadata"]["labels"]
    assert (labels["aistack.dev/stack"], labels["aistack.dev/component"]) == ("demo", "db")
    assert (labels["app.kubernetes.io/managed-by"], labels["mine"]) == ("aistack", "kept")
    for name in ("demo-db", "demo-web"):
        assert (
            find(plan(EXTRA), "Deployment", name)["spec"]["selector"]
            == find(plan(), "Deployment", name)["spec"]["selector"]
        )


def test_selectors_select_their_own_pods_and_those_alone() -> None:
    for planned in (plan(), plan("{profile: starter}", catalog=starter())):
        pods = {r.name: t["metadata"]["labels"] for r, m in objects(planned).items() if (t := pod_template(m))}
        for ref, manifest in objects(planned).items():
            if ref.kind in ("Deployment", "Service"):
                selector = manifest["spec"]["selector"]
                wanted = selector.get("matchLabels", selector).items()
                assert [name for name, labels in pods.items() if wanted <= labels.items()] == [ref.name]


def test_everything_lands_in_the_stacks_namespace() -> None:
    made = objects(plan(namespace="elsewhere"))
    assert {ref.namespace for ref in made} == {"elsewhere"}


def test_a_container_without_resources_needs_a_role() -> None:
    template = {"metadata": {"labels": {}}, "spec": {"containers": [{"name": "main", "image": "x"}]}}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"template": template},
    }
    asked = stack()
    with pytest.raises(CatalogError, match="container 'main' has no resources"):
        Hardener(asked, resolve(asked, toy())["db"], ImageSource.of(asked)).harden([manifest])
