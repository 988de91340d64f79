"""A run with an artifact through MLflow's public REST API, and the same run as PostgreSQL and S3 have it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import boto3
import psycopg
import requests
from botocore import UNSIGNED
from botocore.config import Config


@dataclass(frozen=True)
class Login:
    """Where MLflow answers, and who asks."""

    url: str
    username: str
    password: str

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request and insist on success."""
        response = self.ask(method, path, **kwargs)
        response.raise_for_status()
        return response

    def ask(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request."""
        auth = (self.username, self.password) if self.username else None
        return requests.request(method, self.url + path, auth=auth, timeout=30, **kwargs)


@dataclass(frozen=True)
class Run:
    """A logged run."""

    experiment: str
    run_id: str
    metric: float
    artifact: bytes
    artifact_path: str
    """Path of the artifact below MLflow's artifact root."""


def log_run(login: Login, experiment: str, metric: float, artifact: bytes) -> Run:
    """Log a run with a parameter, a metric and an artifact."""
    api = "/api/2.0/mlflow"
    experiment_id = _experiment_id(login, experiment)
    now = int(time.time() * 1000)
    created = login.call("POST", f"{api}/runs/create", json={"experiment_id": experiment_id, "start_time": now}).json()
    info = created["run"]["info"]
    run_id = info["run_id"]
    login.call("POST", f"{api}/runs/log-parameter", json={"run_id": run_id, "key": "model", "value": "by hand"})
    login.call(
        "POST",
        f"{api}/runs/log-metric",
        json={"run_id": run_id, "key": "accuracy", "value": metric, "timestamp": now, "step": 0},
    )
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    path = f"{root}/notes/hello.txt"
    login.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", data=artifact)
    login.call("POST", f"{api}/runs/update", json={"run_id": run_id, "status": "FINISHED", "end_time": now})
    return Run(experiment, run_id, metric, artifact, path)


def _experiment_id(login: Login, name: str) -> str:
    api = "/api/2.0/mlflow/experiments"
    found = login.ask("GET", f"{api}/get-by-name", params={"experiment_name": name})
    if found.status_code == 200:
        return str(found.json()["experiment"]["experiment_id"])
    return str(login.call("POST", f"{api}/create", json={"name": name}).json()["experiment_id"])


def metric_in_postgres(share: dict[str, str], port: int, run_id: str) -> float | None:
    """Read a run's metric from MLflow's tables, with MLflow's own login.

    Args:
        share: MLflow's share of postgres.
        port: local port that is forwarded to the server.
        run_id: which run.
    """
    with connect(share, port) as connection:
        row = connection.execute(
            "select value from metrics where run_uuid = %s and key = 'accuracy'", (run_id,)
        ).fetchone()
    return float(row[0]) if row else None


def connect(share: dict[str, str], port: int, **other: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Log in to PostgreSQL with a share, or with parts of it replaced."""
    login = {"user": share["username"], "password": share["password"], "dbname": share["database"], **other}
    return psycopg.connect(host="127.0.0.1", port=port, connect_timeout=10, **login)


def s3_client(share: dict[str, str] | None, port: int) -> Any:
    """Return a client of the store with a share's key, or without any."""
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2})
    config = config if share else config.merge(Config(signature_version=UNSIGNED))
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=share["region"] if share else "us-east-1",
        aws_access_key_id=share["access-key"] if share else None,
        aws_secret_access_key=share["secret-key"] if share else None,
        config=config,
    )


def artifact_in_s3(share: dict[str, str], port: int, run: Run) -> bytes | None:
    """Read a run's artifact straight from the bucket; None if no key ends in its path."""
    client = s3_client(share, port)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=share["bucket"]):
        for item in page.get("Contents", []):
            if item["Key"].endswith(run.artifact_path):
                return bytes(client.get_object(Bucket=share["bucket"], Key=item["Key"])["Body"].read())
    return None
