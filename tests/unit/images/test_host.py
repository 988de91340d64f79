import fcntl
import sys
from pathlib import Path

import pytest

from aistack.errors import ToolError
from aistack.images import debian, hostfiles
from aistack.images.hostfiles import host_files
from aistack.images.tools import run
from aistack.images.workshop import open_workshop


@pytest.fixture
def bare_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without settings, and none of the machine's own."""
    monkeypatch.setattr(hostfiles, "_CANDIDATES", {"ca": ("$TEST_CA",), "pip": ("~/pip.conf", str(tmp_path / "etc"))})
    monkeypatch.setattr(hostfiles, "available", lambda program: True)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_what_the_host_has_is_lent(bare_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, settings = bare_host / "ca.pem", bare_host / "pip.conf"
    authority.touch()
    settings.touch()
    monkeypatch.setenv("TEST_CA", str(authority))
    assert host_files(bare_host, lambda command: "") == {"ca": authority, "pip": settings}


def test_a_host_with_no_settings_lends_nothing(bare_host: Path) -> None:
    assert host_files(bare_host, lambda command: 'APT::Architecture "amd64";\n') == {}


def test_of_apt_only_network_settings_are_lent(bare_host: Path) -> None:
    dump = 'Acquire::http::Proxy "http://proxy:3128";\nDir::Cache "/var";\nAcquire::Check-Valid-Until "false";\n'
    lent = host_files(bare_host, lambda command: dump)["apt"].read_text()
    assert lent == 'Acquire::http::Proxy "http://proxy:3128";\nAcquire::Check-Valid-Until "false";\n'


def test_a_program_that_fails_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"exited 3:\n(.|\n)*out of disk"):
        run([sys.executable, "-c", "print('out of disk'); raise SystemExit(3)"])
    with pytest.raises(ToolError, match=r"out of disk\n(.|\n)*all of it: .*x.log"):
        run([sys.executable, "-c", "print('out of disk'); raise SystemExit(3)"], log=tmp_path / "logs" / "x.log")


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(ToolError, match="no-such-program is not installed"):
        run(["no-such-program"])


def test_a_registry_that_refuses_is_unreachable() -> None:
    assert debian.registry_answers("127.0.0.1:1") is False


def test_debian_is_made_with_security_updates_and_without_manuals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "available", lambda program: True)
    ran: list[str] = []

    def record(command: list[str], **_: object) -> str:
        ran.extend(command)
        return ""

    rootfs = debian.bootstrap(tmp_path, "linux/arm64", tmp_path / "log", record)
    assert {"--architectures=arm64", "--dpkgopt=path-exclude=/usr/share/man/*", str(rootfs)} <= set(ran)
    assert "trixie-security" in (tmp_path / "sources.list").read_text()


def test_without_mmdebstrap_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "available", lambda program: False)
    with pytest.raises(ToolError, match="apt-get install mmdebstrap"):
        debian.bootstrap(tmp_path, "linux/amd64", tmp_path / "log")


def test_a_workshop_makes_its_cache_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_workshop(tmp_path / "cache", print) as shop:
        scratch = shop.scratch
        assert scratch.is_dir()
        assert shop.log("mlflow/server").name == "mlflow-server.log"
    assert not scratch.exists()


def test_a_workshop_in_use_is_waited_for_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def leave(message: str) -> None:
            said.append(message)
            fcntl.flock(other, fcntl.LOCK_UN)

        with open_workshop(tmp_path, leave):
            assert said == [f"waiting for another build or push, which holds {tmp_path / 'lock'}"]
