"""Git repositories behind Git's own HTTP server."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BRANCH = "main"
_WHO = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "platform", "EMAIL": "platform@example.com"}.items()
}


@contextmanager
def git_server(root: Path) -> Iterator[str]:
    """Serve the bare repositories below a folder for reading, as ``git http-backend`` does; yields the URL."""
    handler = type("Handler", (_Handler,), {"root": root})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    """One request, handed on to the program as CGI has it."""

    root: Path

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        length = self.headers.get("Content-Length", "0")
        asked = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": length,
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        self._answer(_git("http-backend", stdin=self.rfile.read(int(length)), env=asked))

    do_POST = do_GET  # noqa: N815  # the base class looks for this name

    def _answer(self, told: bytes) -> None:
        head, _, body = told.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().splitlines()]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in [*((n, v) for n, v in headers if n != "Status"), ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Repository:
    """A bare repository below a server's root, and a clone to work in."""

    bare: Path
    clone: Path

    @classmethod
    def create(cls, folder: Path, name: str) -> Repository:
        """Make an empty one, to be served from ``git`` in a folder, with its clone in ``clones``.

        Args:
            folder: of both.
            name: its path at the server.
        """
        bare, clone = folder / "git" / name, folder / "clones" / name
        _git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(bare))
        _git("clone", "--quiet", str(bare), str(clone))
        return cls(bare, clone)

    def push(self, files: Mapping[str, str | None]) -> str:
        """Write files, or remove those that are None; commit and push.

        Returns:
            The revision, as Flux writes it.
        """
        for name, text in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text, "utf-8")
        here = ("-C", str(self.clone))
        _git(*here, "add", "--all")
        _git(*here, "commit", "--quiet", "--allow-empty", "--message=change")
        _git(*here, "push", "--quiet", "origin", f"HEAD:{BRANCH}")
        return f"{BRANCH}@sha1:{_git(*here, 'rev-parse', 'HEAD').decode().strip()}"


def _git(*words: str, stdin: bytes = b"", env: Mapping[str, str] = _WHO) -> bytes:
    done = subprocess.run(["git", *words], input=stdin, env={**os.environ, **_WHO, **env}, capture_output=True)
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr.decode()}"
    return done.stdout
