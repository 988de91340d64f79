"""Proves a tracking server: log, store, register and find again as its consumer does, and see who is kept out.

Each user has one experiment, one run and one model for it, used again by each proof: nothing grows.
"""

import re
import secrets
from typing import Any

from contracts.mlflow.client import ask, call, refuse

PREFIX = "aistack-proof-"
SIZE = 64 << 10
ALIAS = "proven"
OLDEST = (2, 5)
"""The first version with logins; aliases came before."""
_VERSION = re.compile(r"(\d+)\.(\d+)[.\w]*")


def prove(share: dict[str, str], step: Any) -> None:
    """Do what a training run does; then be refused where the login has no business."""
    name = PREFIX + share["username"]
    with step("log in"):
        call(share, "GET", "experiments/search", {"max_results": 1})
        check_version(share)
    with step("find the experiment and its run"):
        run = own_run(share, name)
    with step("log a metric and a tag, and read them"):
        track(share, run["run_id"])
    with step("store an artifact and read it"):
        store(share, run)
    with step("register a model version and find it by its alias"):
        register(share, name, run)
    step.refuses("a request without a login", lambda: anonymous(share))
    step.refuses("a wrong password", lambda: enter({**share, "password": secrets.token_hex(16)}))
    itself = {"username": share["username"], "is_admin": False}
    step.refuses("an administrator's call", lambda: call(share, "PATCH", "users/update-admin", itself))


def check_version(share: dict[str, str]) -> None:
    """Refuse a server that is too old for what consumers do."""
    what = f"{share['username']} at {share['uri']}: GET of its version"
    answer = ask(share, "GET", f"{share['uri']}/version", what, auth=(share["username"], share["password"]))
    found = _VERSION.match(answer.text) if answer.ok else None
    if found and (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ValueError(f"the server is MLflow {found[0]}, which is too old; upgrade it to {oldest} or later")


def own_run(share: dict[str, str], name: str) -> dict[str, str]:
    """Return the user's run for proofs; made where it isn't there."""
    found = call(share, "GET", "experiments/get-by-name", {"experiment_name": name})
    if found is None:
        experiment = (call(share, "POST", "experiments/create", {"name": name}) or {})["experiment_id"]
    else:
        experiment = found["experiment"]["experiment_id"]
    search = {"experiment_ids": [experiment], "max_results": 1}
    runs = (call(share, "POST", "runs/search", search) or {}).get("runs")
    if not runs:
        made = {"experiment_id": experiment, "run_name": "proof", "start_time": 1}
        runs = [(call(share, "POST", "runs/create", made) or {})["run"]]
    info: dict[str, str] = runs[0]["info"]
    return info


def track(share: dict[str, str], run: str) -> None:
    """Log; the tag differs each time, and the metric has one place, so that neither grows."""
    token = secrets.token_hex(8)
    call(share, "POST", "runs/log-metric", {"run_id": run, "key": "proof", "value": 0.5, "timestamp": 1, "step": 0})
    call(share, "POST", "runs/set-tag", {"run_id": run, "key": "proof", "value": token})
    data = (call(share, "GET", "runs/get", {"run_id": run}) or {}).get("run", {}).get("data", {})
    if {"key": "proof", "value": token} not in data.get("tags", []):
        raise RuntimeError(f"run {run} doesn't have the tag that was just set")
    if [m["value"] for m in data.get("metrics", []) if m["key"] == "proof"] != [0.5]:
        raise RuntimeError(f"run {run} doesn't have the metric that was just logged")


def store(share: dict[str, str], run: dict[str, str]) -> None:
    """Upload through the server and read it back: the way to its own artifact store."""
    path = f"{run['experiment_id']}/{run['run_id']}/artifacts/proof.bin"
    url = f"{share['uri']}/api/2.0/mlflow-artifacts/artifacts/{path}"
    login, content = (share["username"], share["password"]), secrets.token_bytes(SIZE)
    for method, data in (("PUT", content), ("GET", None)):
        what = f"{share['username']} at {share['uri']}: {method} of an artifact"
        answer = ask(share, method, url, what, auth=login, data=data)
        if answer.status_code >= 500:
            raise RuntimeError(f"{what} was answered with {answer.status_code}: the store behind MLflow fails it")
        if answer.status_code == 404:
            raise LookupError(f"{what}: it isn't there")
        refuse(answer, what)
    if answer.content != content:
        raise RuntimeError(f"{what}: {len(answer.content)} bytes came back that differ from the {SIZE} stored")


def register(share: dict[str, str], name: str, run: dict[str, str]) -> None:
    """Register a version once, and find it by its alias with what was just written to it."""
    if call(share, "GET", "registered-models/get", {"name": name}) is None:
        call(share, "POST", "registered-models/create", {"name": name})
    version, token = own_version(share, name, run), secrets.token_hex(8)
    call(share, "POST", "model-versions/set-tag", {"name": name, "version": version, "key": "proof", "value": token})
    call(share, "POST", "registered-models/alias", {"name": name, "alias": ALIAS, "version": version})
    found = call(share, "GET", "registered-models/alias", {"name": name, "alias": ALIAS}) or {}
    if {"key": "proof", "value": token} not in found.get("model_version", {}).get("tags", []):
        raise LookupError(f"the alias {ALIAS} of model {name} doesn't lead to what was just written")


def own_version(share: dict[str, str], name: str, run: dict[str, str]) -> str:
    """Return the model's version; deleted ones would stay in the database, so one serves all proofs."""
    found = call(share, "GET", "model-versions/search", {"filter": f"name='{name}'", "max_results": 1}) or {}
    versions = found.get("model_versions")
    if not versions:
        made = {"name": name, "source": f"{run['artifact_uri']}/proof.bin", "run_id": run["run_id"]}
        versions = [(call(share, "POST", "model-versions/create", made) or {})["model_version"]]
    return str(versions[0]["version"])


def enter(binding: dict[str, str]) -> None:
    """Ask for something as a user."""
    call(binding, "GET", "experiments/search", {"max_results": 1})


def anonymous(share: dict[str, str]) -> None:
    """Ask for something as nobody."""
    what = f"nobody at {share['uri']}"
    refuse(ask(share, "GET", f"{share['uri']}/api/2.0/mlflow/experiments/search?max_results=1", what), what)
