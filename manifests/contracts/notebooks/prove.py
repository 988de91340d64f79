"""Proves a hub: start a notebook server as its user, run a cell in its kernel, stop it, and see who is kept out.

The server is the user's own, without a home volume, so that nothing of it stays.
"""

import json
import secrets
import ssl
import time
import uuid
from typing import Any

import websocket
from contracts.mlflow.client import ask, refuse
from contracts.notebooks.client import call

START_SECONDS = 90
STOP_SECONDS = 30
CELL_SECONDS = 30
OLDEST = 2
"""The first version whose tokens have scopes."""
OPTIONS = {"home": "none"}
"""Asks the hub's spawner for a server whose home goes with it."""


def prove(share: dict[str, str], step: Any) -> None:
    """Do what a person does; then be refused where the token has no business."""
    work(share, step)
    refused_elsewhere(share, step)


def work(share: dict[str, str], step: Any) -> None:
    """Use a notebook server from its start to its end."""
    user = f"hub/api/users/{share['username']}"
    with step("log in"):
        call(share, "GET", "hub/api/user")
        check_version(share)
    try:
        with step("start a notebook server"):
            stop(share, user)
            call(share, "POST", f"{user}/server", OPTIONS)
            wait_until(share, user, running=True, seconds=START_SECONDS)
        with step("run a cell"):
            run_cell(share)
    finally:
        with step("stop the server"):
            stop(share, user)


def refused_elsewhere(share: dict[str, str], step: Any) -> None:
    """Be refused without a token, with a wrong one, and where an administrator alone may go."""
    step.refuses("a request without a token", lambda: anonymous(share))
    step.refuses("a wrong token", lambda: call({**share, "token": secrets.token_hex(20)}, "GET", "hub/api/user"))
    step.refuses("an administrator's call", lambda: call(share, "GET", "hub/api/users"))


def check_version(share: dict[str, str]) -> None:
    """Refuse a hub that is too old: it has other rights and forms."""
    version = str(call(share, "GET", "hub/api/").get("version", ""))
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        raise ValueError(f"the hub is JupyterHub {version}, which is too old; upgrade it to {OLDEST} or later")


def stop(share: dict[str, str], user: str) -> None:
    """Stop the user's server if there is one, and wait until it is gone."""
    if call(share, "GET", user).get("servers"):
        call(share, "DELETE", f"{user}/server")
        wait_until(share, user, running=False, seconds=STOP_SECONDS)


def wait_until(share: dict[str, str], user: str, *, running: bool, seconds: float) -> None:
    """Wait until the user's server runs, or is gone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        server = call(share, "GET", user).get("servers", {}).get("")
        if (bool(server) and server["ready"]) if running else not server:
            return
        if running and not server:
            raise RuntimeError(f"the hub gave the server of {share['username']} up; its log says why")
        time.sleep(0.5)
    raise TimeoutError(f"the server of {share['username']} is not {'ready' if running else 'gone'} after {seconds} s")


def run_cell(share: dict[str, str]) -> None:
    """Run a sum in a new kernel and compare what it prints."""
    base, numbers = f"user/{share['username']}", [secrets.randbelow(1000) for _ in range(3)]
    kernel = call(share, "POST", f"{base}/api/kernels", {"name": "python3"})["id"]
    try:
        printed = execute(share, f"{base}/api/kernels/{kernel}/channels", f"print(sum({numbers}))")
    finally:
        call(share, "DELETE", f"{base}/api/kernels/{kernel}")
    if printed.strip() != str(sum(numbers)):
        raise RuntimeError(f"a cell printed {printed[:100]!r} instead of the sum of {numbers}")


def execute(share: dict[str, str], path: str, code: str) -> str:
    """Send code to a kernel over its websocket; return what it prints."""
    url = f"{share['uri']}/{path}".replace("http", "ws", 1)
    tls = {"ca_certs": share["ca-file"]} if "ca-file" in share else {"cert_reqs": ssl.CERT_REQUIRED}
    try:
        connection = websocket.create_connection(
            url, header=[f"Authorization: token {share['token']}"], timeout=CELL_SECONDS, sslopt=tls
        )
        request = message(code)
        connection.send(json.dumps(request))
        return output(connection, request["header"]["msg_id"])
    except websocket.WebSocketTimeoutException:
        raise TimeoutError(f"the kernel said nothing for {CELL_SECONDS} s") from None
    except (websocket.WebSocketException, OSError) as error:
        raise ConnectionError(f"{url}: {error}") from None


def message(code: str) -> dict[str, Any]:
    """Return a request of Jupyter's protocol that runs code."""
    header = {"msg_id": uuid.uuid4().hex, "username": "", "session": uuid.uuid4().hex, "version": "5.3"}
    return {
        "header": {**header, "msg_type": "execute_request"},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": False, "allow_stdin": False},
        "channel": "shell",
        "buffers": [],
    }


def output(connection: Any, request: str) -> str:
    """Return what a request printed; the kernel's rest ends it."""
    printed = []
    while True:
        received = json.loads(connection.recv())
        if received["parent_header"].get("msg_id") != request:
            continue
        kind, content = received["msg_type"], received["content"]
        if kind == "stream":
            printed.append(content["text"])
        elif kind == "error":
            raise RuntimeError(f"the cell failed: {content['ename']}")
        elif kind == "status" and content["execution_state"] == "idle":
            connection.close()
            return "".join(printed)


def anonymous(share: dict[str, str]) -> None:
    """Ask the hub as nobody."""
    what = f"nobody at {share['uri']}"
    refuse(ask(share, "GET", f"{share['uri']}/hub/api/user", what), what)
