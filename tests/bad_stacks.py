"""Stacks that must be refused: one table for the parser (unit) and for ``kubectl apply`` (integration).

The two must agree, because the operator trusts what the API server let through and the CLI checks without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from aistack.api.group import API_VERSION, KIND


@dataclass(frozen=True)
class BadStack:
    """One wrong stack and what the user must be told.

    ``field``, ``says`` and ``remedy`` are the parser's words. ``server`` holds fragments of the API server's answer; it
    names a list's entries by index.
    """

    id: str
    spec: str
    field: str
    says: str
    remedy: str
    server: tuple[str, ...]
    name: str = "demo"

    @property
    def manifest(self) -> dict[str, Any]:
        """The whole object."""
        return stack(self.name, self.spec)


def stack(name: str, spec: str) -> dict[str, Any]:
    """Return an AIStack whose spec is the YAML text ``spec``."""
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": yaml.safe_load(spec)}


BAD_STACKS = (
    BadStack(
        id="name-longer-than-its-objects-names-allow",
        name="a-stack-of-twenty-five-ch",
        spec="{profile: starter}",
        field="metadata.name",
        says="has 25 characters",
        remedy="write at most 24 characters",
        server=("metadata.name: Too long: may not be more than 24 bytes",),
    ),
    BadStack(
        id="name-that-no-service-can-have",
        name="1st",
        spec="{profile: starter}",
        field="metadata.name",
        says="'1st' is no name of a stack",
        remedy="starting with a letter",
        server=("metadata.name", "is no name of a stack; write lower-case letters"),
    ),
    BadStack(
        id="nothing-asked-for",
        spec="{}",
        field="spec",
        says="asks for nothing",
        remedy="write 'profile: starter', or list components",
        server=("spec", "asks for nothing; write 'profile: starter', or list components"),
    ),
    BadStack(
        id="nothing-asked-for-but-an-empty-list",
        spec="{components: []}",
        field="spec",
        says="asks for nothing",
        remedy="write 'profile: starter'",
        server=("spec", "asks for nothing"),
    ),
    BadStack(
        id="misspelt-field",
        spec="{profle: starter}",
        field="spec.profle",
        says="is no field that AIStack knows",
        remedy="did you mean 'profile'?",
        server=('unknown field "spec.profle"',),
    ),
    BadStack(
        id="field-as-python-spells-it",
        spec="{profile: starter, deletion_policy: Delete}",
        field="spec.deletion_policy",
        says="is no field that AIStack knows",
        remedy="did you mean 'deletionPolicy'?",
        server=('unknown field "spec.deletion_policy"',),
    ),
    BadStack(
        id="field-as-python-spells-it-deeper",
        spec="{profile: starter, images: {pull_policy: Always}}",
        field="spec.images.pull_policy",
        says="is no field that AIStack knows",
        remedy="did you mean 'pullPolicy'?",
        server=('unknown field "spec.images.pull_policy"',),
    ),
    BadStack(
        id="misspelt-field-of-a-component",
        spec="{components: [{name: postgres, storage: {sise: 20Gi}}]}",
        field="spec.components[postgres].storage.sise",
        says="is no field that AIStack knows",
        remedy="did you mean 'size'?",
        server=('unknown field "spec.components[0].storage.sise"',),
    ),
    BadStack(
        id="profile-in-capitals",
        spec="{profile: Starter}",
        field="spec.profile",
        says="'Starter' is no name of the catalog",
        remedy="write lower-case letters",
        server=("spec.profile", "is no name of the catalog; write lower-case letters"),
    ),
    BadStack(
        id="size-that-does-not-exist",
        spec="{profile: starter, size: huge}",
        field="spec.size",
        says="'huge' is not allowed",
        remedy="choose one of: 'small', 'medium' or 'large'",
        server=('spec.size: Unsupported value: "huge"', '"small", "medium", "large"'),
    ),
    BadStack(
        id="deletion-policy-of-persistent-volumes",
        spec="{profile: starter, deletionPolicy: Recycle}",
        field="spec.deletionPolicy",
        says="'Recycle' is not allowed",
        remedy="'Retain' or 'Delete'",
        server=('spec.deletionPolicy: Unsupported value: "Recycle"',),
    ),
    BadStack(
        id="drift-policy-of-another-tool",
        spec="{profile: starter, drift: Ignore}",
        field="spec.drift",
        says="'Ignore' is not allowed",
        remedy="'Enforce' or 'Warn'",
        server=('spec.drift: Unsupported value: "Ignore"',),
    ),
    BadStack(
        id="text-where-true-or-false-belongs",
        spec="{profile: starter, suspend: 'yes'}",
        field="spec.suspend",
        says="must be true or false",
        remedy="write it without quotes",
        server=("spec.suspend", "must be of type boolean"),
    ),
    BadStack(
        id="component-without-name",
        spec="{components: [{version: '3.18.0'}]}",
        field="spec.components[0].name",
        says="is missing",
        remedy="add it",
        server=("spec.components[0].name: Required value",),
    ),
    BadStack(
        id="components-as-a-map",
        spec="{components: {mlflow: {}}}",
        field="spec.components",
        says="must be a list",
        remedy="start each entry with '- '",
        server=('unknown field "spec.components.mlflow"',),
    ),
    BadStack(
        id="component-twice",
        spec="{components: [{name: mlflow}, {name: mlflow, size: large}]}",
        field="spec.components",
        says="names the same entry twice: 'mlflow'",
        remedy="merge entries of one name",
        server=('spec.components[1]: Duplicate value: {"name":"mlflow"}',),
    ),
    BadStack(
        id="more-components-than-a-stack-may-have",
        spec="{components: [" + ", ".join(f"{{name: c{i}}}" for i in range(65)) + "]}",
        field="spec.components",
        says="at most 64 items",
        remedy="",
        server=("spec.components: Too many: 65: must have at most 64 items",),
    ),
    BadStack(
        id="version-that-yaml-reads-as-a-number",
        spec="{components: [{name: postgres, version: 17}]}",
        field="spec.components[postgres].version",
        says="must be text",
        remedy="write it in quotes",
        server=("spec.components[0].version", "must be of type string"),
    ),
    BadStack(
        id="version-with-a-range",
        spec="{components: [{name: postgres, version: '>=17'}]}",
        field="spec.components[postgres].version",
        says="'>=17' is no version",
        remedy="write one that 'aistack catalog show' lists",
        server=("spec.components[0].version", "is no version; write one that 'aistack catalog show' lists"),
    ),
    BadStack(
        id="values-as-a-list",
        spec="{components: [{name: mlflow, values: [workers]}]}",
        field="spec.components[mlflow].values",
        says="must be a map",
        remedy="write it as key: value",
        server=("spec.components[0].values", "must be of type object"),
    ),
    BadStack(
        id="volume-size-as-a-number",
        spec="{components: [{name: postgres, storage: {size: 20}}]}",
        field="spec.components[postgres].storage.size",
        says="must be text",
        remedy="write it in quotes",
        server=("spec.components[0].storage.size", "must be of type string"),
    ),
    BadStack(
        id="volume-size-without-unit",
        spec="{components: [{name: postgres, storage: {size: '20'}}]}",
        field="spec.components[postgres].storage.size",
        says="'20' is no size of a volume",
        remedy="e.g. 20Gi",
        server=("spec.components[0].storage.size", "write a number and a unit (Mi, Gi, Ti, M, G or T), e.g. 20Gi"),
    ),
    BadStack(
        id="volume-size-in-lower-case",
        spec="{components: [{name: postgres, storage: {size: 20gb}}]}",
        field="spec.components[postgres].storage.size",
        says="'20gb' is no size of a volume",
        remedy="e.g. 20Gi",
        server=("spec.components[0].storage.size", "is no size of a volume"),
    ),
    BadStack(
        id="storage-class-that-is-no-name",
        spec="{profile: starter, storage: {className: Fast SSD}}",
        field="spec.storage.className",
        says="'Fast SSD' is no name of an object",
        remedy="write lower-case letters",
        server=("spec.storage.className", "is no name of an object"),
    ),
    BadStack(
        id="registry-with-scheme",
        spec="{profile: starter, images: {registry: 'https://registry.example.com'}}",
        field="spec.images.registry",
        says="'https://registry.example.com' is no registry",
        remedy="without scheme",
        server=("spec.images.registry", "write host[:port][/path] without scheme and trailing slash"),
    ),
    BadStack(
        id="registry-that-a-runtime-takes-for-a-path-on-docker-io",
        spec="{profile: starter, images: {registry: ai}}",
        field="spec.images.registry",
        says="'ai' is no registry",
        remedy="the host with a dot or a port",
        server=(
            "spec.images.registry",
            "the host with a dot or a port",
        ),
    ),
    BadStack(
        id="registry-in-capitals-without-a-port",
        spec="{profile: starter, images: {registry: MYREG/team}}",
        field="spec.images.registry",
        says="'MYREG/team' is no registry",
        remedy="the host with a dot or a port",
        server=(
            "spec.images.registry",
            "is no registry",
        ),
    ),
    BadStack(
        id="pull-secret-as-text",
        spec="{profile: starter, images: {pullSecrets: [credentials]}}",
        field="spec.images.pullSecrets[0]",
        says="must be a map",
        remedy="write it as key: value",
        server=("spec.images.pullSecrets[0]", "must be of type object"),
    ),
    BadStack(
        id="pull-secret-twice",
        spec="{profile: starter, images: {pullSecrets: [{name: a}, {name: a}]}}",
        field="spec.images.pullSecrets",
        says="names the same entry twice",
        remedy="merge entries of one name",
        server=("spec.images.pullSecrets[1]: Duplicate value",),
    ),
    BadStack(
        id="label-that-aistack-sets-itself",
        spec="{profile: starter, labels: {aistack.dev/stack: other}}",
        field="spec.labels",
        says="which AIStack sets itself",
        remedy="use a prefix of your own",
        server=("spec.labels", "which AIStack sets itself; use a prefix of your own"),
    ),
    BadStack(
        id="annotation-that-aistack-sets-itself",
        spec="{profile: starter, annotations: {app.kubernetes.io/name: other}}",
        field="spec.annotations",
        says="which AIStack sets itself",
        remedy="use a prefix of your own",
        server=("spec.annotations", "which AIStack sets itself"),
    ),
    BadStack(
        id="label-under-a-subdomain-of-aistack",
        spec="{profile: starter, labels: {a: b, sub.aistack.dev/x: other}}",
        field="spec.labels",
        says="which AIStack sets itself: 'sub.aistack.dev/x'",
        remedy="use a prefix of your own",
        server=(
            "spec.labels",
            "which AIStack sets itself",
        ),
    ),
    BadStack(
        id="annotation-that-takes-the-confinement-off",
        spec="{profile: starter, annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}}",
        field="spec.annotations",
        says="which would loosen how containers are confined",
        remedy="leave it out",
        server=(
            "spec.annotations",
            "which would loosen how containers are confined",
        ),
    ),
    BadStack(
        id="label-key-longer-than-kubernetes-allows",
        spec="{profile: starter, labels: {example.com/" + "a" * 64 + ": x}}",
        field="spec.labels",
        says="holds a key that Kubernetes doesn't allow: 'example.com/aaa",
        remedy="write keys as [prefix/]name",
        server=(
            "spec.labels",
            "holds a key that Kubernetes doesn't allow",
        ),
    ),
    BadStack(
        id="label-key-whose-prefix-is-no-domain",
        spec="{profile: starter, labels: {a..b/c: x}}",
        field="spec.labels",
        says="holds a key that Kubernetes doesn't allow: 'a..b/c'",
        remedy="write keys as [prefix/]name",
        server=(
            "spec.labels",
            "holds a key that Kubernetes doesn't allow",
        ),
    ),
    BadStack(
        id="node-selector-with-a-key-that-is-none",
        spec="{profile: starter, scheduling: {nodeSelector: {a-/b: x}}}",
        field="spec.scheduling.nodeSelector",
        says="holds a key that Kubernetes doesn't allow: 'a-/b'",
        remedy="write keys as [prefix/]name",
        server=(
            "spec.scheduling.nodeSelector",
            "holds a key that Kubernetes doesn't allow",
        ),
    ),
    BadStack(
        id="label-key-with-a-space",
        spec="{profile: starter, labels: {'cost centre': ml}}",
        field="spec.labels",
        says="holds a key that Kubernetes doesn't allow",
        remedy="write keys as [prefix/]name",
        server=("spec.labels", "holds a key that Kubernetes doesn't allow"),
    ),
    BadStack(
        id="label-value-with-a-space",
        spec="{profile: starter, labels: {example.com/team: machine learning}}",
        field="spec.labels[example.com/team]",
        says="'machine learning' is no value of a label",
        remedy="at most 63",
        server=("spec.labels[example.com/team]", "is no value of a label"),
    ),
    BadStack(
        id="node-selector-with-a-number",
        spec="{profile: starter, scheduling: {nodeSelector: {gpus: 2}}}",
        field="spec.scheduling.nodeSelector.gpus",
        says="must be text",
        remedy="write it in quotes",
        server=("spec.scheduling.nodeSelector.gpus", "must be of type string"),
    ),
    BadStack(
        id="toleration-with-a-selector-operator",
        spec="{components: [{name: mlflow, scheduling: {tolerations: [{key: gpu, operator: In}]}}]}",
        field="spec.components[mlflow].scheduling.tolerations[0].operator",
        says="'In' is not allowed",
        remedy="'Exists' or 'Equal'",
        server=('spec.components[0].scheduling.tolerations[0].operator: Unsupported value: "In"',),
    ),
    BadStack(
        id="toleration-of-a-value-without-a-key",
        spec="{profile: starter, scheduling: {tolerations: [{value: x, effect: NoSchedule}]}}",
        field="spec.scheduling.tolerations[0]",
        says="has a value, though it tolerates every one",
        remedy="leave the value out",
        server=(
            "spec.scheduling.tolerations[0]",
            "has a value, though it tolerates every one",
        ),
    ),
    BadStack(
        id="toleration-of-every-value-with-a-value",
        spec="{components: [{name: mlflow, scheduling: {tolerations: [{key: a, operator: Exists, value: x}]}}]}",
        field="spec.components[mlflow].scheduling.tolerations[0]",
        says="has a value, though it tolerates every one",
        remedy="write a key and operator: Equal",
        server=(
            "spec.components[0].scheduling.tolerations[0]",
            "has a value, though it tolerates every one",
        ),
    ),
    BadStack(
        id="toleration-that-compares-no-key",
        spec="{profile: starter, scheduling: {tolerations: [{operator: Equal}]}}",
        field="spec.scheduling.tolerations[0]",
        says="has the operator Equal, and no key to compare",
        remedy="write the taint's key, or operator: Exists",
        server=(
            "spec.scheduling.tolerations[0]",
            "has the operator Equal, and no key to compare",
        ),
    ),
    BadStack(
        id="toleration-for-a-time-of-an-effect-that-evicts-nothing",
        spec="{profile: starter, scheduling: {tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 5}]}}",
        field="spec.scheduling.tolerations[0]",
        says="has tolerationSeconds, which only the effect NoExecute knows",
        remedy="or write effect: NoExecute",
        server=(
            "spec.scheduling.tolerations[0]",
            "has tolerationSeconds, which only the effect NoExecute knows",
        ),
    ),
    BadStack(
        id="toleration-for-a-time-of-every-effect",
        spec="{profile: starter, scheduling: {tolerations: [{key: a, tolerationSeconds: 5}]}}",
        field="spec.scheduling.tolerations[0]",
        says="has tolerationSeconds, which only the effect NoExecute knows",
        remedy="leave them out",
        server=(
            "spec.scheduling.tolerations[0]",
            "has tolerationSeconds",
        ),
    ),
    BadStack(
        id="toleration-with-a-key-that-is-none",
        spec="{profile: starter, scheduling: {tolerations: [{key: a b, operator: Exists}]}}",
        field="spec.scheduling.tolerations[0].key",
        says="'a b' is no key of a taint",
        remedy="or leave it out",
        server=(
            "spec.scheduling.tolerations[0].key",
            "is no key of a taint",
        ),
    ),
    BadStack(
        id="host-with-a-scheme",
        spec="{profile: starter, expose: {host: 'https://ml.example.com', className: nginx}}",
        field="spec.expose.host",
        says="'https://ml.example.com' is no host",
        remedy="without scheme, port, path and '*'",
        server=("spec.expose.host", "is no host; write a DNS name in lower case"),
    ),
    BadStack(
        id="host-that-is-a-wildcard",
        spec="{profile: starter, expose: {host: '*.ml.example.com', className: nginx}}",
        field="spec.expose.host",
        says="'*.ml.example.com' is no host",
        remedy="e.g. ml.example.com for pages at mlflow.ml.example.com",
        server=("spec.expose.host", "is no host"),
    ),
    BadStack(
        id="host-that-is-an-address",
        spec="{profile: starter, expose: {host: 10.0.0.7, className: nginx}}",
        field="spec.expose.host",
        says="'10.0.0.7' is no host",
        remedy="write a DNS name",
        server=("spec.expose.host", "is no host"),
    ),
    BadStack(
        id="host-with-a-label-longer-than-dns-allows",
        spec="{profile: starter, expose: {host: " + "a" * 64 + ".example.com, className: nginx}}",
        field="spec.expose.host",
        says="is no host",
        remedy="write a DNS name",
        server=("spec.expose.host", "is no host"),
    ),
    BadStack(
        id="host-that-leaves-no-room-for-a-component-s-name",
        spec="{profile: starter, expose: {host: " + "a." * 116 + "b, className: nginx}}",
        field="spec.expose.host",
        says="has 233 characters",
        remedy="write at most 232 characters",
        server=("spec.expose.host: Too long: may not be more than 232",),
    ),
    BadStack(
        id="exposed-without-a-host",
        spec="{profile: starter, expose: {className: nginx}}",
        field="spec.expose.host",
        says="is missing",
        remedy="add it",
        server=("spec.expose.host: Required value",),
    ),
    BadStack(
        id="exposed-in-no-way",
        spec="{profile: starter, expose: {host: ml.example.com}}",
        field="spec.expose",
        says="needs either className or gatewayRef",
        remedy="write className for an Ingress ('kubectl get ingressclass' lists them)",
        server=("spec.expose", "needs either className or gatewayRef; write className for an Ingress"),
    ),
    BadStack(
        id="exposed-in-both-ways",
        spec="{profile: starter, expose: {host: ml.example.com, className: nginx, gatewayRef: {name: company}}}",
        field="spec.expose",
        says="needs either className or gatewayRef",
        remedy="or gatewayRef for a Gateway",
        server=("spec.expose", "needs either className or gatewayRef"),
    ),
    BadStack(
        id="default-class-as-an-empty-text",
        spec="{profile: starter, expose: {host: ml.example.com, className: ''}}",
        field="spec.expose.className",
        says="has 0 characters",
        remedy="write at least 1 character",
        server=("spec.expose.className", "should be at least 1 chars long"),
    ),
    BadStack(
        id="certificate-of-two-issuers",
        spec="{profile: starter, expose: {host: a.b, className: nginx, tls: {issuer: x, clusterIssuer: y}}}",
        field="spec.expose.tls",
        says="names more than one of secretRef, issuer and clusterIssuer",
        remedy="keep the one that the certificate comes from",
        server=("spec.expose.tls", "names more than one of secretRef, issuer and clusterIssuer; keep the one"),
    ),
    BadStack(
        id="certificate-of-a-gateway",
        spec="{profile: starter, expose: {host: a.b, gatewayRef: {name: company}, tls: {clusterIssuer: y}}}",
        field="spec.expose",
        says="names a certificate in tls, but with gatewayRef the Gateway's listener has its own",
        remedy="write 'tls: {}' here to say that pages are https",
        server=("spec.expose", "names a certificate in tls, but with gatewayRef the Gateway's listener has its own"),
    ),
    BadStack(
        id="gateway-with-its-namespace-in-its-name",
        spec="{profile: starter, expose: {host: a.b, gatewayRef: {name: gateways/company}}}",
        field="spec.expose.gatewayRef.name",
        says="'gateways/company' is no name of an object",
        remedy="write lower-case letters",
        server=("spec.expose.gatewayRef.name", "is no name of an object"),
    ),
    BadStack(
        id="namespace-of-a-gateway-with-a-dot",
        spec="{profile: starter, expose: {host: a.b, gatewayRef: {name: company, namespace: gate.ways}}}",
        field="spec.expose.gatewayRef.namespace",
        says="'gate.ways' is no name of a namespace",
        remedy="e.g. gateways",
        server=("spec.expose.gatewayRef.namespace", "is no name of a namespace"),
    ),
    BadStack(
        id="annotation-of-a-route-that-aistack-sets-itself",
        spec="{profile: starter, expose: {host: a.b, className: nginx, annotations: {aistack.dev/x: y}}}",
        field="spec.expose.annotations",
        says="which AIStack sets itself: 'aistack.dev/x'",
        remedy="use a prefix of your own",
        server=("spec.expose.annotations", "which AIStack sets itself"),
    ),
)
