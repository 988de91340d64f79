"""The claim of the contract mlflow, and the program before the server, against a real server."""

from __future__ import annotations

import base64
import configparser
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psycopg
import psycopg.sql
import pytest
import requests

from tests.contracts import mlflow as tracking
from tests.contracts import servers
from tests.contracts.meddler import logging_in, meddler
from tests.contracts.shipped import Binding, ClaimFailedError, ProofFailedError, Provider
from tests.contracts.test_postgres import query


def call(binding: Binding, method: str, path: str, **data: Any) -> requests.Response:
    """Call MLflow's API with a binding's login."""
    place = {"params": data} if method == "GET" else {"json": data}
    url = f"{binding['uri']}/api/2.0/mlflow/{path}"
    return requests.request(method, url, auth=(binding["username"], binding["password"]), timeout=60, **place)


@pytest.fixture(scope="module")
def share(mlflow: Provider) -> Binding:
    """Claimed; a test that takes it away gives it back."""
    mlflow.claim(mlflow.share("jupyterhub"))
    return mlflow.share("jupyterhub")


@pytest.fixture
def experiment(share: Binding) -> str:
    """One of the share's own."""
    found = call(share, "GET", "experiments/get-by-name", experiment_name="mine")
    made = found if found.ok else call(share, "POST", "experiments/create", name="mine")
    return str(made.json().get("experiment_id") or made.json()["experiment"]["experiment_id"])


def test_a_run_lands_in_postgresql(share: Binding, experiment: str, postgres: Provider) -> None:
    run = call(share, "POST", "runs/create", experiment_id=experiment).json()["run"]["info"]["run_id"]
    assert call(share, "POST", "runs/log-metric", run_id=run, key="loss", value=0.25, timestamp=1).ok
    with psycopg.connect(postgres.share("mlflow")["uri"]) as database:
        found = database.execute("select key, value from metrics where run_uuid = %s", [run]).fetchall()
    assert found == [("loss", 0.25)]


def test_an_artifact_lands_in_s3(share: Binding, experiment: str, s3: Provider) -> None:
    place = f"{experiment}/claim/artifacts/probe.bin"
    url = f"{share['uri']}/api/2.0/mlflow-artifacts/artifacts/{place}"
    login = (share["username"], share["password"])
    assert requests.put(url, data=b"bytes", auth=login, timeout=60).ok
    bucket = s3.share("mlflow")
    client = boto3.client(
        "s3",
        endpoint_url=bucket["endpoint"],
        region_name=bucket["region"],
        aws_access_key_id=bucket["access-key"],
        aws_secret_access_key=bucket["secret-key"],
    )
    stored = client.get_object(Bucket=bucket["bucket"], Key=f"artifacts/{place}")["Body"].read()
    assert stored == requests.get(url, auth=login, timeout=60).content == b"bytes"


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        pytest.param("POST", "users/create", {"username": "evil", "password": "p" * 20}, id="no users"),
        pytest.param("PATCH", "users/update-password", {"username": "admin", "password": "p" * 20}, id="no passwords"),
        pytest.param("PATCH", "users/update-admin", {"username": "any", "is_admin": True}, id="no promotion"),
        pytest.param("DELETE", "users/delete", {"username": "admin"}, id="no deletion"),
        pytest.param("POST", "experiments/update", {"experiment_id": "0", "new_name": "x"}, id="not what others own"),
    ],
)
def test_a_share_administers_nothing(share: Binding, method: str, path: str, data: dict[str, Any]) -> None:
    assert call(share, method, path, **data).status_code == 403


def test_without_a_login_nothing_is_answered(mlflow: Provider) -> None:
    url = f"{mlflow.admin['uri']}/api/2.0/mlflow/experiments/search?max_results=1"
    assert requests.get(url, timeout=60).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("demo-mlflow:5000", 200, id="Service"),
        pytest.param("demo-mlflow.ml:5000", 200, id="Service and namespace"),
        pytest.param("demo-mlflow.ml.svc.cluster.local:5000", 200, id="whole name"),
        pytest.param("localhost:18080", 200, id="a forwarded port"),
        pytest.param("10.244.0.7:5000", 200, id="pod's address"),
        pytest.param("172.31.255.1:5000", 200, id="address of another private network"),
        pytest.param("mlflow.example.com", 200, id="ingress"),
        pytest.param("ml.apps.example.com", 200, id="any of an ingress"),
        pytest.param("mlflow.ml.example.org", 200, id="exposed"),
        pytest.param("mlflow.ml.example.org:8443", 200, id="exposed at another port"),
        pytest.param("jupyterhub.ml.example.org", 403, id="another page of the stack"),
        pytest.param("172.32.0.1:5000", 403, id="public address"),
        pytest.param("evil.example.com", 403, id="another name"),
        pytest.param("demo-mlflow.evil.example.com", 403, id="a name that begins alike"),
    ],
)
def test_only_known_hosts_are_answered(share: Binding, host: str, status: int) -> None:
    url = f"{share['uri']}/api/2.0/mlflow/users/current"
    login = (share["username"], share["password"])
    assert requests.get(url, auth=login, headers={"Host": host}, timeout=60).status_code == status


def ask_from_a_page(share: Binding, origin: str) -> requests.Response:
    """Search experiments, as the page does: with a browser's login and the page's address."""
    url = f"{share['uri']}/ajax-api/2.0/mlflow/experiments/search"
    login = (share["username"], share["password"])
    return requests.post(url, json={"max_results": 1}, auth=login, headers={"Origin": origin}, timeout=60)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param("https://mlflow.example.com", 200, id="ingress"),
        pytest.param("http://mlflow.example.com", 200, id="ingress without TLS"),
        pytest.param("http://demo-mlflow.ml.svc:5000", 200, id="Service"),
        pytest.param("http://localhost:18080", 200, id="a forwarded port"),
        pytest.param("https://mlflow.ml.example.org", 200, id="exposed"),
        pytest.param("http://mlflow.ml.example.org", 403, id="exposed, but not encrypted"),
        pytest.param("https://jupyterhub.ml.example.org", 403, id="another page of the stack"),
        pytest.param("https://other.example.com", 403, id="another page"),
        pytest.param("http://10.244.0.7:5000", 403, id="a page in a private network"),
        pytest.param("https://evil.apps.example.com", 403, id="one of many hosts"),
        pytest.param("https://mlflow.example.com.evil.com", 403, id="a name that begins alike"),
    ],
)
def test_only_pages_of_its_own_write(share: Binding, origin: str, status: int) -> None:
    response = ask_from_a_page(share, origin)
    assert response.status_code == status
    assert response.headers.get("Access-Control-Allow-Origin") == (origin if status == 200 else None)


def test_pages_of_others_may_not_read(share: Binding) -> None:
    for origin in (
        "http://demo-mlflow.evil.com",
        "https://mlflow.example.com.evil.com",
        "https://evil.apps.example.com",
    ):
        url = f"{share['uri']}/api/2.0/mlflow/users/current"
        response = requests.get(
            url, auth=(share["username"], share["password"]), headers={"Origin": origin}, timeout=60
        )
        assert "Access-Control-Allow-Origin" not in response.headers, "the browser hides the answer from the page"


def test_claiming_again_keeps_the_login(mlflow: Provider, share: Binding) -> None:
    mlflow.claim(share)
    assert call(share, "GET", "users/current").json()["user"]["is_admin"] is False


def test_a_new_generation_is_the_same_user_with_another_password(mlflow: Provider, share: Binding) -> None:
    second = mlflow.share("jupyterhub", 2)
    mlflow.claim(second)
    assert call(second, "GET", "users/current").ok
    assert call(share, "GET", "users/current").status_code == 401
    mlflow.claim(share)


def test_revoking_ends_the_login_and_keeps_the_runs(mlflow: Provider, share: Binding, experiment: str) -> None:
    mlflow.revoke(share)
    mlflow.revoke(share)
    assert call(share, "GET", "users/current").status_code == 401
    assert call(mlflow.admin, "GET", "experiments/get", experiment_id=experiment).ok
    mlflow.claim(share)


def test_an_administrator_by_mistake_is_put_right(mlflow: Provider, share: Binding) -> None:
    assert call(mlflow.admin, "PATCH", "users/update-admin", username=share["username"], is_admin=True).ok
    mlflow.claim(share)
    assert call(share, "GET", "users/current").json()["user"]["is_admin"] is False


def test_the_administrator_is_no_share(mlflow: Provider) -> None:
    with pytest.raises(ClaimFailedError, match="needs one of its own"):
        mlflow.claim({**mlflow.admin})


def test_a_refused_administrator_is_a_matter_of_credentials(mlflow: Provider) -> None:
    with pytest.raises(ClaimFailedError) as failure:
        mlflow.claim(mlflow.share("jupyterhub"), {**mlflow.admin, "password": "wrong-password"})
    assert failure.value.kind == "auth"


def test_preparing_again_finds_nothing_to_do(mlflow: Provider, tmp_path: Path) -> None:
    assert tracking.prepare(mlflow.shipped, tmp_path) == ""


def test_preparing_gives_the_administrator_the_password_of_the_secret(mlflow: Provider, tmp_path: Path) -> None:
    admin, healed = mlflow.admin, {**mlflow.admin, "password": "another-password"}
    printed = tracking.prepare(mlflow.shipped, tmp_path, {"ADMIN_PASSWORD": healed["password"]})
    assert call(healed, "GET", "users/current").json()["user"]["is_admin"] is True
    assert healed["password"] not in printed
    tracking.prepare(mlflow.shipped, tmp_path)
    assert call(admin, "GET", "users/current").ok


def test_preparing_upgrades_tables_of_an_older_version(mlflow: Provider, postgres: Provider, tmp_path: Path) -> None:
    """An older MLflow's tables are had by stepping the newest migration back."""
    share = {**postgres.share("mlflow"), "database": "demo_older", "username": "demo_older.1"}
    postgres.claim(share)
    uri = "postgresql+psycopg2://{username}:{password}@{host}:{port}/{database}".format(**share)
    older = "from mlflow.store.db.utils import _initialize_tables as make; import sqlalchemy as sa, sys; "
    older += "from mlflow.store.db.utils import _get_alembic_config as config; from alembic import command; "
    older += "uri = sys.argv[1]; make(sa.create_engine(uri)); command.downgrade(config(uri), '-1')"
    python = str(tracking.programs() / "python")
    subprocess.run([python, "-c", older, uri], check=True, capture_output=True)
    changes = {"DATABASE_URI": uri}
    assert "upgrading" in tracking.prepare(mlflow.shipped, tmp_path, changes)
    assert tracking.prepare(mlflow.shipped, tmp_path, changes) == ""


def test_the_configuration_with_the_password_is_for_its_owner_only(mlflow: Provider, tmp_path: Path) -> None:
    tracking.prepare(mlflow.shipped, tmp_path)
    file = tmp_path / "auth.ini"
    config = configparser.ConfigParser()
    config.read(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert config["mlflow"]["database_uri"] == mlflow.shipped.secret("demo-mlflow-postgres")["uri-psycopg2"]


WORK = [
    "log in",
    "find the experiment and its run",
    "log a metric and a tag, and read them",
    "store an artifact and read it",
    "register a model version and find it by its alias",
]
CLOSED = ["a request without a login is refused", "a wrong password is refused", "an administrator's call is refused"]


def rows(postgres: Provider) -> list[tuple[object, ...]]:
    """How much of everything that proofs touch there is."""
    tables = ("experiments", "runs", "metrics", "tags", "model_versions", "registered_model_aliases")
    with psycopg.connect(postgres.share("mlflow")["uri"]) as database:
        queries = (psycopg.sql.SQL("select count(*) from {}").format(psycopg.sql.Identifier(t)) for t in tables)
        return [database.execute(query).fetchone() or () for query in queries]


def test_a_proof_does_real_work_is_refused_elsewhere_and_grows_nothing(
    mlflow: Provider, share: Binding, postgres: Provider
) -> None:
    assert mlflow.prove(share) == [*WORK, *CLOSED]
    before = rows(postgres)
    mlflow.prove(share)
    assert rows(postgres) == before


def change_password(mlflow: Provider, share: Binding) -> None:
    """Change the user's password behind the operator's back."""
    whose = {"username": share["username"], "password": "another" * 4}
    assert call(mlflow.admin, "PATCH", "users/update-password", **whose).ok


def promote(mlflow: Provider, share: Binding) -> None:
    """Make the user an administrator."""
    assert call(mlflow.admin, "PATCH", "users/update-admin", username=share["username"], is_admin=True).ok


BREAKS: dict[str, tuple[Callable[[Provider, Binding], None], str, str]] = {
    "the password was changed": (change_password, WORK[0], "auth"),
    "a right too many": (promote, CLOSED[2], "auth"),
}


@pytest.mark.parametrize(("sabotage", "step", "kind"), BREAKS.values(), ids=BREAKS)
def test_a_proof_finds_what_broke(
    mlflow: Provider, share: Binding, sabotage: Callable[[Provider, Binding], None], step: str, kind: str
) -> None:
    mlflow.prove(share)
    sabotage(mlflow, share)
    try:
        with pytest.raises(ProofFailedError) as failed:
            mlflow.prove(share)
        assert (failed.value.step, failed.value.kind) == (step, kind)
        assert share["password"] not in failed.value.message
    finally:
        mlflow.claim(share)
    mlflow.prove(share)


REVOKED = {
    "no runs": ("select", "runs", WORK[1]),
    "no tags": ("insert, update", "tags", WORK[2]),
    "no models": ("insert, update", "model_version_tags", WORK[4]),
}


@pytest.mark.parametrize(("rights", "table", "step"), REVOKED.values(), ids=REVOKED)
def test_a_proof_finds_a_table_behind_the_server_closed(
    mlflow: Provider, share: Binding, postgres: Provider, rights: str, table: str, step: str
) -> None:
    mlflow.prove(share)  # its run is made with tags
    owner = postgres.share("mlflow")["database"]
    place = {**postgres.admin, "database": owner}
    query(place, f"revoke {rights} on {table} from {owner}")
    try:
        with pytest.raises(ProofFailedError) as failed:
            mlflow.prove(share)
        assert (failed.value.step, failed.value.kind) == (step, "other")
    finally:
        query(place, f"grant {rights} on {table} to {owner}")


@pytest.mark.parametrize(
    ("everybody", "step"), [(True, CLOSED[0]), (False, CLOSED[1])], ids=["anybody", "any password"]
)
def test_a_proof_finds_that_others_are_let_in(mlflow: Provider, share: Binding, everybody: bool, step: str) -> None:
    """As behind a proxy that logs people in."""
    port = servers.free_port()
    known = base64.b64encode(f"{share['username']}:{share['password']}".encode())
    asked = logging_in(b"Basic " + known, everybody=everybody)
    with meddler(port, int(share["port"]), asked), pytest.raises(ProofFailedError, match="was let in") as failed:
        mlflow.prove({**share, "uri": f"http://127.0.0.1:{port}"})
    assert (failed.value.step, failed.value.kind) == (step, "auth")


def test_a_proof_finds_the_store_behind_the_server_broken(mlflow: Provider, share: Binding, s3: Provider) -> None:
    """What people find out by losing a model: runs are logged, and artifacts are not."""
    s3.revoke(s3.share("mlflow"))
    try:
        with pytest.raises(ProofFailedError, match="the store behind MLflow fails it") as failed:
            mlflow.prove(share)
        assert failed.value.step == WORK[3]
    finally:
        s3.claim(s3.share("mlflow"))
    mlflow.prove(share)


@pytest.mark.parametrize(
    ("uri", "kind", "says"),
    [
        ("http://nowhere.invalid:1", "network", "doesn't resolve"),
        ("http://127.0.0.1:1", "network", "nothing answers there"),
        ("https", "tls", "doesn't speak TLS"),
    ],
    ids=["unknown host", "nobody there", "no TLS"],
)
def test_what_is_wrong_with_a_binding_is_told(mlflow: Provider, share: Binding, uri: str, kind: str, says: str) -> None:
    place = share["uri"].replace("http", "https") if uri == "https" else uri
    with pytest.raises(ProofFailedError, match=says) as failed:
        mlflow.prove({**share, "uri": place})
    assert (failed.value.step, failed.value.kind) == (WORK[0], kind)
