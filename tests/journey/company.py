"""A company's own services in a namespace of their own: PostgreSQL and an S3 server, both with TLS by a private CA."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import trustme

from aistack.catalog.loader import load_catalog
from tests.cluster.kind import Kind
from tests.journey.kube import Kube
from tests.journey.versity import versitygw

FOLDER = "/opt/company"
"""Where the nodes have the S3 server's program; no image of it is to be had here."""
POSTGRES, STORE = "postgres", "store"
SECURITY = {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}


@dataclass(frozen=True)
class Company:
    """The services; passwords are new each time."""

    kube: Kube
    namespace: str
    authority: trustme.CA = field(default_factory=trustme.CA)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    root_key: str = field(default_factory=lambda: secrets.token_hex(20))

    def host(self, name: str) -> str:
        """Return a service's DNS name."""
        return f"{name}.{self.namespace}.svc"

    @property
    def certificate(self) -> str:
        """The authority's, in PEM."""
        return self.authority.cert_pem.bytes().decode()

    def start(self) -> None:
        """Make the namespace and bring both services up."""
        self._put_program()
        self.kube.run("create", "namespace", self.namespace)
        self.kube.apply(*self._server(POSTGRES, 5432, _postgres()), *self._server(STORE, 443, _store()))
        for name in (POSTGRES, STORE):
            self.kube.run(
                "-n", self.namespace, "rollout", "status", f"deployment/{name}", "--timeout=180s", timeout=200
            )

    def administrator(self) -> dict[str, str]:
        """Return what a Secret holds for those who may make databases."""
        login = {"username": "postgres", "password": self.password, "database": "postgres"}
        return {"host": self.host(POSTGRES), "ca.crt": self.certificate, **login}

    def bucket(self, name: str) -> dict[str, str]:
        """Make a bucket and a user who may use it alone; return what a Secret holds for that user."""
        user, key = f"user-{name}", secrets.token_hex(20)
        admin = ("--access", "root", "--secret", self.root_key, "--endpoint-url", "https://localhost:8443")
        flags = ("--allow-insecure", *admin)
        create = ("create-user", "--access", user, "--secret", key, "--role", "user")
        gateway = ("-n", self.namespace, "exec", f"deployment/{STORE}", "--", f"{FOLDER}/versitygw", "admin", *flags)
        self.kube.run(*gateway, *create)
        with self._root() as s3:
            s3.create_bucket(Bucket=name)
        self.kube.run(*gateway, "change-bucket-owner", "--bucket", name, "--owner", user)
        place = {"host": self.host(STORE), "port": "443", "bucket": name, "ca.crt": self.certificate}
        return {**place, "access-key": user, "secret-key": key}

    def secret(self, namespace: str, name: str, data: dict[str, str]) -> None:
        """Write a Secret, as a secret manager would."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        metadata = {"name": name, "namespace": namespace}
        self.kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})

    @contextmanager
    def _root(self) -> Iterator[Any]:
        forwarded = self.kube.forward(self.namespace, f"service/{STORE}", 443)
        with forwarded as port, self.authority.cert_pem.tempfile() as authority:
            yield boto3.client(
                "s3",
                endpoint_url=f"https://127.0.0.1:{port}",
                region_name="us-east-1",
                aws_access_key_id="root",
                aws_secret_access_key=self.root_key,
                verify=authority,
            )

    def _put_program(self) -> None:
        kind = Kind()
        for node in kind.nodes:
            kind.exec(node, "mkdir", "-p", FOLDER)
            kind.docker("cp", versitygw(), f"{node}:{FOLDER}/versitygw")

    def _server(self, name: str, port: int, container: dict[str, Any]) -> list[dict[str, Any]]:
        made = self.authority.issue_cert(self.host(name), "localhost", "127.0.0.1")
        chain = b"".join(pem.bytes() for pem in made.cert_chain_pems)
        texts = {
            "tls.crt": chain.decode(),
            "tls.key": made.private_key_pem.bytes().decode(),
            "password": self.password,
            "root-key": self.root_key,
        }
        labels, inside = {"app": name}, container["ports"][0]["containerPort"]
        common = {"namespace": self.namespace, "name": name}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": common, "stringData": texts}
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": common,
            "spec": {
                "selector": labels,
                "ports": [{"port": port, "targetPort": inside}],
            },
        }
        pod = {
            "securityContext": SECURITY,
            "containers": [{"name": name, "volumeMounts": _MOUNTS, **container}],
            "volumes": [
                {"name": "secret", "secret": {"secretName": name, "defaultMode": 0o440}},
                {"name": "programs", "hostPath": {"path": FOLDER}},
                *({"name": volume, "emptyDir": {}} for volume in ("data", "run", "tmp")),
            ],
        }
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": common,
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
        }
        return [secret, service, deployment]


_MOUNTS = [
    {"name": "secret", "mountPath": "/secret", "readOnly": True},
    {"name": "programs", "mountPath": FOLDER, "readOnly": True},
    {"name": "data", "mountPath": "/var/lib/postgresql"},
    {"name": "run", "mountPath": "/run/postgresql"},
    {"name": "tmp", "mountPath": "/tmp"},
]


def _postgres() -> dict[str, Any]:
    tls = ("ssl=on", "ssl_cert_file=/secret/tls.crt", "ssl_key_file=/secret/tls.key")
    return {
        "image": load_catalog().components["postgres"].spec.images["server"].reference(),
        "args": [word for setting in tls for word in ("-c", setting)],
        "env": [{"name": "POSTGRES_PASSWORD_FILE", "value": "/secret/password"}],
        "ports": [{"containerPort": 5432}],
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]},
            "periodSeconds": 1,
        },
    }


def _store() -> dict[str, Any]:
    tls = "--cert /secret/tls.crt --key /secret/tls.key"
    data = "/var/lib/postgresql"
    start = f"mkdir -p {data}/iam {data}/buckets {data}/meta && exec {FOLDER}/versitygw --port :8443 {tls}"
    backend = f"--iam-dir {data}/iam posix --sidecar {data}/meta {data}/buckets"
    key = {"secretKeyRef": {"name": STORE, "key": "root-key"}}
    return {
        "image": load_catalog().runner.reference(),
        "command": ["sh", "-c", f"{start} {backend}"],
        "env": [{"name": "ROOT_ACCESS_KEY", "value": "root"}, {"name": "ROOT_SECRET_KEY", "valueFrom": {**key}}],
        "ports": [{"containerPort": 8443}],
        "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
    }
