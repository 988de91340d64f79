"""Keeps the logins of the Prometheus beside it, which reads them from a file and has no API for them.

``logins.py prepare`` makes the file, with the administrator's password as its Secret says; ``logins.py serve`` answers:

- ``GET /logins``: names. ``PUT /logins/<name>`` with ``{"password": ...}``, ``DELETE /logins/<name>``: for the
  administrator alone. Prometheus reads the file anew with every request that it gets.
- ``GET /ready``: whether Prometheus is ready, for the kubelet, which knows no login.

The file holds hashes only, and is never half written.
"""

import base64
import contextlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

import bcrypt

ADMIN = "admin"
FILE = Path(os.environ["LOGINS_FILE"])
PASSWORD_FILE = Path(os.environ["ADMIN_PASSWORD_FILE"])
PORT = int(os.environ["LOGINS_PORT"])
PROMETHEUS_PORT = int(os.environ["PROMETHEUS_PORT"])
NAME = re.compile(r"/logins/([a-z0-9][-.a-z0-9]{0,252})")
SHORTEST_PASSWORD = 20
LONGEST_PASSWORD = 72
"""Bytes of it that bcrypt looks at."""
LONGEST_BODY = 4096
ROUNDS = 5
"""Few: Prometheus hashes for every request, and nobody guesses passwords of 40 random characters."""
CHANGING = Lock()


def read_logins():
    """Return the hashes by name."""
    return json.loads(FILE.read_text("utf-8"))["basic_auth_users"] if FILE.exists() else {}


def write_logins(logins):
    """Replace the file in one step; JSON is YAML."""
    fresh = FILE.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        json.dump({"basic_auth_users": logins}, opened, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.rename(FILE)


def set_login(name, password):
    """Make a login, or give it another password."""
    with CHANGING:
        logins = read_logins()
        if name not in logins or not bcrypt.checkpw(password.encode(), logins[name].encode()):
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS))
            write_logins({**logins, name: hashed.decode()})


def drop_login(name):
    """End a login, if there is one."""
    with CHANGING:
        logins = read_logins()
        if logins.pop(name, None):
            write_logins(logins)


def admin_header():
    """Return what the administrator's requests carry."""
    password = PASSWORD_FILE.read_text("utf-8").strip()
    if not password:
        raise SystemExit(f"ADMIN_PASSWORD_FILE: {PASSWORD_FILE} is empty")
    return "Basic " + base64.b64encode(f"{ADMIN}:{password}".encode()).decode()


def ready():
    """Ask Prometheus, and return the status of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", PROMETHEUS_PORT, timeout=4)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/-/ready", headers={"Authorization": admin_header()})
        return connection.getresponse().status
    return HTTPStatus.SERVICE_UNAVAILABLE


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    timeout = 10
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Tell names, or whether Prometheus is ready."""
        if self.path == "/ready":
            self._answer(ready())
        elif self._is_admin() and self.path == "/logins":
            self._answer(HTTPStatus.OK, sorted(read_logins().keys() - {ADMIN}))
        else:
            self._refuse()

    def do_PUT(self):
        """Make a login."""
        name = self._name()
        if not name or not self._is_admin():
            self._refuse()
            return
        password = self._password()
        if password is None:
            self._answer(HTTPStatus.BAD_REQUEST, f"password: expected {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} bytes")
            return
        set_login(name, password)
        self._answer(HTTPStatus.NO_CONTENT)

    def do_DELETE(self):
        """End a login."""
        name = self._name()
        if not name or not self._is_admin():
            self._refuse()
            return
        drop_login(name)
        self._answer(HTTPStatus.NO_CONTENT)

    def _name(self):
        found = NAME.fullmatch(self.path)
        return found[1] if found and found[1] != ADMIN else ""

    def _password(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            return None
        try:
            password = json.loads(self.rfile.read(int(length)))["password"]
        except (ValueError, KeyError, TypeError):
            return None
        fits = isinstance(password, str) and SHORTEST_PASSWORD <= len(password.encode()) <= LONGEST_PASSWORD
        return password if fits else None

    def _is_admin(self):
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), admin_header().encode())

    def _refuse(self):
        self.close_connection = True
        self._answer(HTTPStatus.NOT_FOUND if self._is_admin() else HTTPStatus.UNAUTHORIZED)

    def _answer(self, status, data=None):
        body = json.dumps(data).encode() if data is not None else b""
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *arguments):
        """Log what changes logins; the kubelet asks every few seconds."""
        if self.command != "GET":
            super().log_message(text, *arguments)


def prepare():
    """Make the file, or bring the administrator's password in line with its Secret."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    admin_header()
    set_login(ADMIN, PASSWORD_FILE.read_text("utf-8").strip())


class Server(ThreadingHTTPServer):
    """On all addresses of both families, where the pod has them."""

    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET


def serve():
    """Answer until told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(("", PORT), Handler).serve_forever()


if __name__ == "__main__":
    {"prepare": prepare, "serve": serve}[sys.argv[1]]()
