"""A real Chromium, of Debian's packages in a root of its own: this machine needs none of its hundred libraries."""

from __future__ import annotations

import base64
import json
import os
import shlex
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme
from selenium import webdriver

from tests.cluster import versions
from tests.cluster.common import debian, store
from tests.cluster.common.paths import arch
from tests.cluster.common.progress import Progress
from tests.cluster.common.shell import run

PACKAGES = ("chromium", "chromium-driver", "fonts-liberation", "fonts-dejavu-core", "fonts-noto-color-emoji")
PROGRAMS = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux", "setpriv": "util-linux"}
SIZE = (1280, 800)
_USELESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/icons", "var/cache/apt", "var/lib/apt")
_POLICIES = "etc/chromium/policies/managed"
_ENTER = """\
#!/bin/sh
# Ends with its parent, and all that Chromium started with it.
exec setpriv --pdeathsig KILL unshare --mount {user} sh -c '
mount --rbind /dev "$1/dev" && mount --bind "$2" "$1/tmp" && root="$1" && shift 2 &&
exec unshare --pid --fork --kill-child --root="$root" --mount-proc env HOME=/tmp chromedriver "$@"
' sh {root} {folder} "$@"
"""
"""Runs chromedriver in Chromium's root; /tmp there is the test's own folder."""


def install() -> Path:
    """Return the root of a Debian with Chromium, made first where it is missing.

    Raises:
        ClusterError: it can't be made.
    """
    key = store.key_of(versions.DEBIAN, arch(), *PACKAGES)
    if found := store.find("chromium", key):
        return found
    progress = Progress(2)
    debian.ensure(PROGRAMS, progress)
    with progress.step("Chromium, of Debian's packages", "about 2 min, once"):
        return store.ensure("chromium", key, _build, keep=1)


def _build(target: Path) -> None:
    archive = target / "debian.tar"
    debian.bootstrap(archive, PACKAGES)
    left_out = [f"--exclude=./{path}/*" for path in ("dev", *_USELESS)]
    run(["tar", "-C", target, "-xf", archive, *left_out], timeout=300)
    archive.unlink()
    managed = target / _POLICIES
    managed.parent.mkdir(parents=True, exist_ok=True)
    managed.symlink_to("/tmp/policies")


@contextmanager
def chromium(
    folder: Path, names: str, address: tuple[str, int], *authorities: trustme.CA
) -> Iterator[webdriver.Chrome]:
    """Run a new Chromium until the block ends.

    Args:
        folder: scratch space, its home.
        names: pattern of the names that lead to ``address``, as a company's DNS would; no other resolves.
        address: host and port.
        authorities: whose certificates a company's administrator told it to trust.

    A failure inside leaves ``failed.png`` in the folder.
    """
    program = folder / "chromedriver"
    user = "" if os.geteuid() == 0 else "--map-root-user"
    program.write_text(_ENTER.format(root=shlex.quote(str(install())), folder=shlex.quote(str(folder)), user=user))
    program.chmod(0o755)
    _trust(folder / "policies", authorities)
    driver = webdriver.Chrome(_options(names, address), webdriver.ChromeService(str(program)))
    width, height = SIZE  # of the page itself
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield driver
    except BaseException:
        driver.save_screenshot(str(folder / "failed.png"))
        raise
    finally:
        driver.quit()


def _trust(folder: Path, authorities: tuple[trustme.CA, ...]) -> None:
    folder.mkdir()
    pems = [authority.cert_pem.bytes().decode() for authority in authorities]
    trusted = [base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode() for pem in pems]
    (folder / "authorities.json").write_text(json.dumps({"CACertificates": trusted}))


def _options(names: str, address: tuple[str, int]) -> webdriver.ChromeOptions:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    host, port = address
    for argument in (
        "--headless=new",
        "--no-sandbox",  # runs as root, and opens our own pages alone
        "--disable-dev-shm-usage",
        "--remote-debugging-pipe",
        f"--host-resolver-rules=MAP {names} {host}:{port}, MAP * ~NOTFOUND, EXCLUDE {host}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return options


class Traffic:
    """What a Chromium did since it started.

    Attributes:
        urls: everything that went over the network or should have, without logins.
        sockets: status of each websocket's handshake.
        complaints: what its console calls severe.
        cookies: all that it holds.
    """

    def __init__(self, driver: webdriver.Chrome) -> None:
        events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
        self.urls = {_plain(url) for event in events if (url := _asked(event["method"], event["params"]))}
        self.sockets = [e["params"]["response"]["status"] for e in events if e["method"] == _SHAKEN]
        self.complaints = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        self.cookies = driver.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]


_SHAKEN = "Network.webSocketHandshakeResponseReceived"


def _asked(method: str, params: dict[str, Any]) -> str:
    if method == "Network.webSocketCreated":
        return str(params["url"])
    url = str(params["request"]["url"]) if method == "Network.requestWillBeSent" else ""
    return "" if url.startswith(("data:", "blob:", "chrome:")) else url


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


if __name__ == "__main__":
    install()
