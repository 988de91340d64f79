"""The claim of the contract notebooks, and who may log in, against a real hub with the configuration that ships."""

from __future__ import annotations

import importlib
import io
import json
from contextlib import redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from aistack.proving.proofs import Step, StepFailedError
from tests.contracts import jupyterhub as hub
from tests.contracts import servers
from tests.contracts.meddler import logging_in, meddler
from tests.contracts.shipped import Binding, ClaimFailedError, ProofFailedError, Provider, Shipped


def share(provider: Provider, generation: int = 1, username: str = "demo-probe") -> Binding:
    """Return a consumer's share; nothing in the starter stack is one."""
    return {**provider.admin, "username": username, "token": f"{generation}" * 40}


def who(binding: Binding) -> requests.Response:
    """Ask the hub who a token belongs to."""
    headers = {"Authorization": f"token {binding['token']}"}
    return requests.get(f"{binding['api-uri']}/user", headers=headers, timeout=30)


def log_in(provider: Provider, username: str, password: str) -> requests.Response:
    """Send the login form."""
    session, url = requests.Session(), f"{provider.admin['uri']}/hub/login"
    session.get(url, timeout=30)
    form = {"username": username, "password": password, "_xsrf": session.cookies["_xsrf"]}
    return session.post(url, data=form, allow_redirects=False, timeout=30)


def test_a_claimed_token_is_a_user_that_administers_nothing(notebooks: Provider) -> None:
    notebooks.claim(share(notebooks))
    found = who(share(notebooks)).json()
    assert (found["name"], found["admin"]) == ("demo-probe", False)


def test_claiming_again_changes_nothing(notebooks: Provider) -> None:
    notebooks.claim(share(notebooks))
    notebooks.claim(share(notebooks))
    assert who(share(notebooks)).ok


def test_the_old_token_works_until_the_generation_after_the_next(notebooks: Provider) -> None:
    for generation in (1, 2):
        notebooks.claim(share(notebooks, generation))
    assert who(share(notebooks, 1)).ok
    notebooks.claim(share(notebooks, 3))
    assert [who(share(notebooks, generation)).status_code for generation in (1, 2, 3)] == [403, 200, 200]


def test_a_share_makes_no_tokens_that_would_outlive_it(notebooks: Provider) -> None:
    notebooks.claim(share(notebooks))
    headers = {"Authorization": f"token {share(notebooks)['token']}"}
    url = f"{notebooks.admin['api-uri']}/users/demo-probe/tokens"
    assert requests.post(url, json={"note": "shares"}, headers=headers, timeout=30).status_code == 403


def test_revoking_ends_the_tokens_and_keeps_the_user(notebooks: Provider) -> None:
    notebooks.claim(share(notebooks))
    notebooks.revoke(share(notebooks))
    notebooks.revoke(share(notebooks))
    assert who(share(notebooks)).status_code == 403


def test_a_persons_login_is_no_share(notebooks: Provider) -> None:
    with pytest.raises(ClaimFailedError, match="person's login"):
        notebooks.claim(share(notebooks, 7, "ada"))


def test_a_token_of_somebody_else_is_refused(notebooks: Provider) -> None:
    notebooks.claim(share(notebooks, 8))
    with pytest.raises(ClaimFailedError, match="belongs to somebody else"):
        notebooks.claim(share(notebooks, 8, "demo-other"))


@pytest.mark.parametrize("body", [{}, {"token": "short"}, {"token": 5}], ids=["none", "short", "no text"])
def test_a_token_that_is_none_is_refused(notebooks: Provider, body: dict[str, object]) -> None:
    headers = {"Authorization": f"token {notebooks.admin['token']}"}
    url = f"{notebooks.admin['uri']}/hub/tokens/demo-other"
    assert requests.put(url, json=body, headers=headers, timeout=30).status_code == 400


def test_only_the_administrator_gives_tokens(notebooks: Provider) -> None:
    notebooks.claim(share(notebooks))
    for token in (share(notebooks)["token"], "wrong" * 8):
        with pytest.raises(ClaimFailedError) as failure:
            notebooks.claim(share(notebooks, 9, "admin"), {**notebooks.admin, "token": token})
        assert failure.value.kind == "auth"


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [
        pytest.param("admin", "admin-password", 302, id="administrator"),
        pytest.param("ada", "ada-password", 302, id="teammate"),
        pytest.param("ada", "admin-password", 403, id="somebody else's password"),
        pytest.param("admin", "", 403, id="no password"),
        pytest.param("nobody", "", 403, id="no such user"),
        pytest.param("demo-probe", "", 403, id="a share's user has no password"),
        pytest.param("../passwords/admin", "admin-password", 403, id="a path"),
    ],
)
def test_who_may_log_in(notebooks: Provider, username: str, password: str, status: int) -> None:
    assert log_in(notebooks, username, password).status_code == status


def administrators(provider: Provider) -> set[str]:
    """Ask the hub who of its users administers it."""
    headers = {"Authorization": f"token {provider.admin['token']}"}
    users = requests.get(f"{provider.admin['api-uri']}/users", headers=headers, timeout=30).json()
    assert {u["name"] for u in users} >= {"admin", "ada"}
    return {u["name"] for u in users if u["admin"]}


def test_the_first_user_administers(notebooks: Provider) -> None:
    assert administrators(notebooks) == {"admin"}


def test_who_is_no_longer_the_first_user_administers_no_longer(shipped: Shipped, tmp_path: Path) -> None:
    other = replace(shipped, ports={**shipped.ports, "notebooks": servers.free_port()}, made={})
    database = {"DATABASE_URI": f"sqlite:///{tmp_path / 'hub.sqlite'}"}
    found = []
    for users in (["admin", "ada"], ["ada", "admin"]):
        with hub.jupyterhub(other, tmp_path, users, database):
            found.append(administrators(Provider(other, "notebooks", "jupyterhub")))
    assert found == [{"admin"}, {"ada"}]


PUBLIC = "https://jupyterhub.ml.example.org/"


def log_in_at(url: str, following: str) -> requests.Response:
    """Send the login form to a hub whose cookies are for https alone, as if it were reached so."""
    page = requests.get(f"{url}/hub/login", timeout=30)
    xsrf = page.cookies["_xsrf"]
    form = {"username": "ada", "password": "ada-password", "_xsrf": xsrf, "next": following}
    return requests.post(f"{url}/hub/login", form, cookies={"_xsrf": xsrf}, allow_redirects=False, timeout=30)


def test_a_hub_that_is_exposed_lives_at_its_address_and_its_cookies_are_for_https_alone(
    shipped: Shipped, tmp_path: Path
) -> None:
    other = replace(shipped, ports={**shipped.ports, "notebooks": servers.free_port()}, made={})
    database = {"DATABASE_URI": f"sqlite:///{tmp_path / 'hub.sqlite'}"}
    with hub.jupyterhub(other, tmp_path, changes=database, public_url=PUBLIC):
        url = Provider(other, "notebooks", "jupyterhub").admin["uri"]
        root = requests.get(f"{url}/", allow_redirects=False, timeout=30)
        logged_in = log_in_at(url, f"{PUBLIC}hub/token")
        elsewhere = log_in_at(url, "https://evil.example.com/hub/token")
    assert root.headers["Location"] == f"{PUBLIC}hub/"
    assert (logged_in.status_code, logged_in.headers["Location"]) == (302, "/hub/token")
    assert "evil" not in elsewhere.headers["Location"]
    cookies = logged_in.raw.headers.getlist("Set-Cookie")
    assert cookies
    assert [cookie for cookie in cookies if "; secure" not in cookie.lower()] == []


def test_what_the_hub_does_by_the_clock(shipped: Shipped, tmp_path: Path) -> None:
    said = hub.configuration(shipped, tmp_path)["JupyterHub"]
    assert said["last_activity_interval"] == 30, "a restarted proxy has its routes again after so many seconds"
    culler = next(service for service in said["services"] if service["name"] == "idle-culler")
    assert culler["command"][-2:] == ["--timeout=3600", "--cull-every=60"], "60 minutes are no 90"


def test_a_notebook_fills_no_node(shipped: Shipped, tmp_path: Path) -> None:
    volumes = hub.configuration(shipped, tmp_path)["KubeSpawner"]["volumes"]
    scratch = [volume for volume in volumes if "emptyDir" in volume]
    assert [volume["emptyDir"] for volume in scratch] == [{"sizeLimit": "2Gi"}]


def test_retiring_ends_the_former_tokens_only(notebooks: Provider) -> None:
    for generation in (1, 2):
        notebooks.claim(share(notebooks, generation))
    notebooks.retire(share(notebooks, 2))
    assert [who(share(notebooks, generation)).status_code for generation in (1, 2)] == [403, 200]


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"token": "0" * 40}, "auth", "was refused"),
        ({"uri": "http://127.0.0.1:1"}, "network", "nothing answers there"),
        ({"username": "demo-nobody"}, "absent", "not found"),
    ],
    ids=["another token", "nobody there", "another user"],
)
def test_a_proof_finds_what_broke(notebooks: Provider, changes: Binding, kind: str, says: str) -> None:
    """Up to the notebook server, which needs a cluster: tests/e2e has the whole proof."""
    notebooks.claim(share(notebooks))
    with pytest.raises(ProofFailedError, match=says) as failed:
        notebooks.prove({**share(notebooks), **changes})
    assert failed.value.kind == kind


REFUSED = ["a request without a token is refused", "a wrong token is refused", "an administrator's call is refused"]


def refused(binding: Binding) -> list[str]:
    """Try what must be refused, as a proof does at its end; return the steps that went well."""
    with redirect_stdout(printed := io.StringIO()), suppress(StepFailedError):
        importlib.import_module("contracts.notebooks.prove").refused_elsewhere(binding, Step("share", str))
    steps = [json.loads(line) for line in printed.getvalue().splitlines()]
    return [step["name"] for step in steps if step["ok"]]


def test_a_proof_finds_who_is_let_in(notebooks: Provider) -> None:
    """As behind a proxy that logs people in, or with a token that opens too much."""
    notebooks.claim(share(notebooks))
    own = share(notebooks)
    assert refused(own) == REFUSED
    port = servers.free_port()
    behind = {**own, "uri": f"http://127.0.0.1:{port}"}
    for everybody, kept in ((True, []), (False, REFUSED[:1])):
        with meddler(port, int(own["port"]), logging_in(f"token {own['token']}".encode(), everybody=everybody)):
            assert refused(behind) == kept
    assert refused(notebooks.admin) == REFUSED[:2], "a service's token that administers the hub"
