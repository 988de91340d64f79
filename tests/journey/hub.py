"""A person at JupyterHub: logs in with the form, starts a server, runs a cell in its kernel."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests
import websocket


class HubError(AssertionError):
    """The hub, a notebook server or a cell failed."""


def _browser() -> requests.Session:
    """Return a session that opens a connection for each request: the proxy ends those that idle while a cell runs."""
    session = requests.Session()
    session.headers["Connection"] = "close"
    return session


@dataclass
class Hub:
    """A browser's session with the hub."""

    url: str
    username: str
    session: requests.Session = field(default_factory=_browser)

    def log_in(self, password: str) -> None:
        """Log in as a browser does, with the form's XSRF token."""
        self.session.get(f"{self.url}/hub/login", timeout=30).raise_for_status()
        form = {"username": self.username, "password": password, "_xsrf": self._xsrf("/hub/")}
        answer = self.session.post(f"{self.url}/hub/login", data=form, timeout=30, allow_redirects=False)
        if answer.status_code != 302:
            raise HubError(f"login refused: {answer.status_code}")

    def start_server(self, seconds: float) -> None:
        """Start the user's server and wait until it answers."""
        users = f"{self.url}/hub/api/users/{self.username}"
        headers = {"X-XSRFToken": self._xsrf("/hub/"), "Referer": f"{self.url}/hub/home"}
        self.session.post(f"{users}/server", headers=headers, timeout=60).raise_for_status()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            server = self.session.get(users, headers=headers, timeout=30).json().get("servers", {}).get("", {})
            if server.get("ready"):
                self._enter()
                return
            time.sleep(1)
        raise HubError(f"the server was not ready within {seconds:.0f} s: {server}")

    def stop_server(self) -> None:
        """Stop the user's server; its home volume stays."""
        headers = {"X-XSRFToken": self._xsrf("/hub/"), "Referer": f"{self.url}/hub/home"}
        url = f"{self.url}/hub/api/users/{self.username}/server"
        self.session.delete(url, headers=headers, timeout=60).raise_for_status()

    def run_cell(self, code: str, seconds: float = 120) -> str:
        """Run code in a new kernel and return what it printed.

        Raises:
            HubError: the code raised, or ran too long.
        """
        kernel = self.call("POST", "/api/kernels", json={"name": "python3"})["id"]
        try:
            return self._execute(kernel, code, seconds)
        finally:
            self.call("DELETE", f"/api/kernels/{kernel}")

    def read_file(self, path: str) -> dict[str, Any]:
        """Return a file of the user's home, as Jupyter's contents API does."""
        return dict(self.call("GET", f"/api/contents/{path}"))

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """Call the user's own server."""
        base = f"/user/{self.username}"
        headers = {"X-XSRFToken": self._xsrf(f"{base}/"), "Referer": f"{self.url}{base}/lab"}
        answer = self.session.request(method, self.url + base + path, headers=headers, timeout=60, **kwargs)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _enter(self) -> None:
        """Open the user's page, which walks through the hub's OAuth and sets the server's own cookies."""
        self.session.get(f"{self.url}/user/{self.username}/lab", timeout=60).raise_for_status()

    def _execute(self, kernel: str, code: str, seconds: float) -> str:
        base = f"/user/{self.username}"
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.session.cookies if base.startswith(c.path.rstrip("/")))
        url = f"{self.url.replace('http', 'ws', 1)}{base}/api/kernels/{kernel}/channels"
        connection = websocket.create_connection(url, cookie=cookies, timeout=seconds, origin=self.url)
        try:
            request = _execute_request(code)
            connection.send(json.dumps(request))
            return _output(connection, request["header"]["msg_id"], time.monotonic() + seconds)
        finally:
            connection.close()

    def _xsrf(self, path: str) -> str:
        found = [c.value for c in self.session.cookies if c.name == "_xsrf" and c.path == path]
        return found[0] if found and found[0] else ""


def _execute_request(code: str) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "username": "", "session": uuid.uuid4().hex, "version": "5.3"}
    return {
        "header": {**header, "msg_type": "execute_request"},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": False, "allow_stdin": False},
        "channel": "shell",
        "buffers": [],
    }


def _output(connection: websocket.WebSocket, request: str, deadline: float) -> str:
    """What a request printed. The reply may overtake the output, on another channel: the kernel's rest ends both."""
    printed = []
    while time.monotonic() < deadline:
        message = json.loads(connection.recv())
        kind, content = message["msg_type"], message["content"]
        if message["parent_header"].get("msg_id") != request:
            continue
        if kind == "stream":
            printed.append(content["text"])
        elif kind == "error":
            raise HubError("\n".join([*printed, *content["traceback"]]))
        elif kind == "status" and content["execution_state"] == "idle":
            return "".join(printed)
    raise HubError(f"the cell ran too long; it printed: {''.join(printed)}")
