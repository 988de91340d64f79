"""What templates may make: everything that would escape the stack's rules is refused with its file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aistack.api.texts import APPARMOR
from aistack.errors import CatalogError
from tests.toy import plan, toy

POD = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ name("extra") }}
spec:
  selector:
    matchLabels: {{ selector("server") }}
  template:
    metadata:
      labels: {{ pod_labels("server") }}
    spec:
      %POD
      containers:
        - name: main
          image: {{ image("server") }}
          %CONTAINER
"""


def plan_with(template: str) -> None:
    """Plan the toy with one more template in db."""
    db = toy().components["db"]
    changed = replace(db, templates={**db.templates, "zextra.yaml.j2": template})
    plan(catalog=replace(toy(), components={**toy().components, "db": changed}))


def pod(field: str = "tolerations: []", container: str = "tty: false") -> str:
    return POD.replace("%POD", field).replace("%CONTAINER", container)


def of_kind(kind: str, more: str = "") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {{{{ name('extra') }}}}\n{more}"


def test_a_plain_workload_is_taken() -> None:
    plan_with(pod())


REFUSED = {
    "namespace": (of_kind("Namespace"), "makes a Namespace; a stack makes namespaced objects only"),
    "cluster-role": (of_kind("ClusterRole"), "makes a ClusterRole; a stack makes namespaced objects only"),
    "binding": (of_kind("ClusterRoleBinding"), "a stack makes namespaced objects only"),
    "definition": (of_kind("CustomResourceDefinition"), "a stack makes namespaced objects only"),
    "webhook": (of_kind("MutatingWebhookConfiguration"), "a stack makes namespaced objects only"),
    "volume": (of_kind("PersistentVolume"), "a stack makes namespaced objects only"),
    "secret": (of_kind("Secret", "stringData: {a: b}\n"), "describe it under `secrets` in component.yaml"),
    "network-policy": (of_kind("NetworkPolicy", "spec: {podSelector: {}}\n"), "under `workloads` in component.yaml"),
    "bare-pod": (of_kind("Pod", "spec: {containers: []}\n"), "write a Deployment or a StatefulSet"),
    "controller-of-old": (of_kind("ReplicationController", "spec: {}\n"), "write a Deployment"),
    "list": (of_kind("List", "items: []\n"), "write each of its items as a document of its own"),
    "name-of-no-stack": (
        of_kind("ConfigMap").replace("{{ name('extra') }}", "config"),
        "makes the ConfigMap 'config', a name that isn't the component's own; write `name: {{ name(...) }}`",
    ),
    "name-of-a-component-that-starts-alike": (
        of_kind("ConfigMap").replace("{{ name('extra') }}", "demo-dbx"),
        "makes the ConfigMap 'demo-dbx'",
    ),
    "job": (of_kind("Job", "spec: {template: {spec: {containers: []}}}\n"), "a claim or an init container"),
    "volume-claim-templates": (
        of_kind(
            "StatefulSet",
            "spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {}}], template: {spec: {containers: []}}}\n",
        ),
        "write PersistentVolumeClaims of their own",
    ),
    "pod-without-role": (pod().replace('{{ pod_labels("server") }}', "{a: b}"), "its pods have no role"),
    "pod-of-an-unknown-role": (
        pod().replace('{{ pod_labels("server") }}', "{aistack.dev/role: sever}"),
        "its pods have no role",
    ),
    "host-network": (pod("hostNetwork: true"), "Deployment demo-db-extra: hostNetwork is not allowed"),
    "host-processes": (pod("hostPID: true"), "hostPID is not allowed"),
    "host-memory": (pod("hostIPC: true"), "hostIPC is not allowed"),
    "host-path": (pod("volumes: [{name: v, hostPath: {path: /}}]"), "volume 'v': hostPath is not allowed"),
    "nfs": (pod("volumes: [{name: v, nfs: {server: s, path: /}}]"), "volume 'v': nfs is not allowed"),
    "root-user-of-the-pod": (pod("securityContext: {runAsUser: 0}"), "its pods: runAsUser 0 is not allowed"),
    "kernel-parameters": (pod("securityContext: {sysctls: [{name: a, value: b}]}"), "sysctls is not allowed"),
    "root-user": (pod(container="securityContext: {runAsUser: 0}"), "container 'main': runAsUser 0 is not allowed"),
    "selinux-of-the-pod": (
        pod("securityContext: {seLinuxOptions: {level: s0}}"),
        "its pods: seLinuxOptions is not allowed",
    ),
    "selinux": (pod(container="securityContext: {seLinuxOptions: {level: s0}}"), "seLinuxOptions is not allowed"),
    "windows": (
        pod(container="securityContext: {windowsOptions: {runAsUserName: x}}"),
        "container 'main': windowsOptions is not allowed",
    ),
    "apparmor": (
        pod(container="securityContext: {appArmorProfile: {type: Unconfined}}"),
        "container 'main': appArmorProfile is not allowed",
    ),
    "apparmor-by-an-annotation": (
        pod().replace(
            "    spec:\n      toler", f"      annotations: {{{APPARMOR}main: unconfined}}\n    spec:\n      toler"
        ),
        "the annotation container.apparmor.security.beta.kubernetes.io/main is not allowed",
    ),
    "probe-of-another-host": (
        pod(container="livenessProbe: {httpGet: {host: 169.254.169.254, port: 80}}"),
        "container 'main': httpGet.host in livenessProbe is not allowed",
    ),
    "probe-of-another-container-s-port": (
        pod(container="readinessProbe: {httpGet: {path: /, port: beside}}"),
        "container 'main': readinessProbe names the port 'beside', which isn't its own",
    ),
    "hook-to-an-unknown-port": (
        pod(container="lifecycle: {preStop: {httpGet: {path: /, port: beside}}}"),
        "container 'main': preStop names the port 'beside', which isn't its own",
    ),
    "hook-to-another-host": (
        pod(container="lifecycle: {postStart: {httpGet: {host: 169.254.169.254, port: 80}}}"),
        "container 'main': httpGet.host in postStart is not allowed",
    ),
    "privileged": (pod(container="securityContext: {privileged: true}"), "privileged is not allowed"),
    "unmasked-proc": (pod(container="securityContext: {procMount: Unmasked}"), "procMount is not allowed"),
    "host-port": (pod(container="ports: [{containerPort: 1, hostPort: 1}]"), "hostPort is not allowed"),
    "image-written-out": (
        pod().replace('{{ image("server") }}', "docker.io/library/nginx:1"),
        "its image is none of component.yaml's",
    ),
    "image-missing": (pod().replace('image: {{ image("server") }}', "stdin: true"), "its image is none"),
    "init-container": (
        pod("initContainers: [{name: init, image: busybox}]"),
        "container 'init': its image is none of component.yaml's",
    ),
    "same-object-twice": (of_kind("ConfigMap") + "---\n" + of_kind("ConfigMap"), "makes ConfigMap ml/demo-db-extra"),
    "object-of-another-file": (of_kind("Service").replace("'extra'", ""), "makes Service ml/demo-db, and so does"),
    "object-of-another-component": (
        of_kind("Service").replace("{{ name('extra') }}", "demo-store"),
        "makes the Service 'demo-store'",
    ),
}


UNSERVED = {
    "no-service": ("kind: Service", "kind: ConfigMap", "the Service demo-db with the port 5432 (sql)"),
    "service-of-another-name": (
        "kind: Service\nmetadata:\n  name: {{ name() }}",
        "kind: Service\nmetadata:\n  name: {{ name('a') }}",
        "no template makes the Service demo-db",
    ),
    "service-of-another-port": ("port: 5432, targetPort", "port: 5433, targetPort", "with the port 5432 (sql)"),
}


@pytest.mark.parametrize(("old", "new", "says"), UNSERVED.values(), ids=UNSERVED)
def test_what_is_provided_needs_a_service(old: str, new: str, says: str) -> None:
    db = toy().components["db"]
    server = db.templates["server.yaml.j2"]
    assert old in server
    changed = replace(db, templates={"server.yaml.j2": server.replace(old, new)})
    with pytest.raises(CatalogError) as refused:
        plan(catalog=replace(toy(), components={**toy().components, "db": changed}))
    assert refused.value.file == "components/db/component.yaml"
    assert says in refused.value.problem


@pytest.mark.parametrize(("template", "says"), REFUSED.values(), ids=REFUSED)
def test_what_a_template_may_not_make(template: str, says: str) -> None:
    with pytest.raises(CatalogError) as refused:
        plan_with(template)
    assert says in str(refused.value)
    assert refused.value.file.startswith(("components/db", "components/store"))


@pytest.mark.parametrize("declared", [None, ("ConfigMap", "PersistentVolumeClaim", "Service", "apps/Deployment")])
def test_what_is_declared_may_be_made(declared: tuple[str, ...] | None) -> None:
    db = replace(toy().components["db"], makes=declared)
    plan(catalog=replace(toy(), components={**toy().components, "db": db}))


def test_a_kind_that_was_not_declared_is_refused_by_the_file_that_makes_it() -> None:
    db = replace(toy().components["db"], makes=("Service",))
    with pytest.raises(CatalogError) as refused:
        plan(catalog=replace(toy(), components={**toy().components, "db": db}))
    assert refused.value.file == "components/db/templates/server.yaml.j2"
    assert "and declared are Service; add it to spec.kinds of the AIComponent, or leave it out" in str(refused.value)
