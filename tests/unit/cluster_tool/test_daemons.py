"""Background processes: ended when they are ours, left alone when the id belongs to another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.common.daemons import Daemon, start_time
from tests.cluster.common.errors import ClusterError

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"

LEADERLESS = """
import os, platform, threading, time, ctypes
threading.Thread(target=time.sleep, args=(60,)).start()
print("on", flush=True)
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)  # ends this thread alone
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon("sleeper", tmp_path)
    yield daemon
    daemon.stop(grace=0)


def test_a_daemon_lives_until_it_is_stopped(daemon: Daemon) -> None:
    daemon.start(["sleep", "60"])
    pid = daemon.pid
    assert pid is not None
    daemon.stop()
    assert not daemon.alive
    assert start_time(pid) is None


def test_another_command_finds_and_ends_it_by_its_record(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start(["sleep", "60"])
    later = Daemon("sleeper", tmp_path)
    assert later.pid == daemon.pid
    later.stop()
    assert not daemon.alive


def test_what_ignores_the_kind_signal_is_killed(daemon: Daemon) -> None:
    daemon.start([sys.executable, "-c", STUBBORN])
    daemon.wait_until(lambda: "on" in daemon.log.read_text(), timeout=10)
    daemon.stop(grace=0.1)
    assert not daemon.alive


def test_a_process_whose_first_thread_ended_still_runs(daemon: Daemon) -> None:
    daemon.start([sys.executable, "-c", LEADERLESS])
    pid = daemon.pid
    assert pid is not None
    daemon.wait_until(lambda: _state(pid) == "Z", timeout=10)
    assert daemon.alive
    daemon.stop(grace=0)
    assert not daemon.alive


@pytest.mark.parametrize("field", ["started", "boot"])
def test_a_process_that_got_the_same_id_is_not_touched(daemon: Daemon, tmp_path: Path, field: str) -> None:
    daemon.start(["sleep", "60"])
    pid = daemon.pid
    assert pid is not None
    record_file = tmp_path / "sleeper.pid.json"
    record_file.write_text(json.dumps({**json.loads(record_file.read_text()), field: "another"}))
    try:
        assert not daemon.alive
        daemon.stop()
        assert start_time(pid) is not None
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_daemon_that_ends_while_starting_is_quoted(daemon: Daemon) -> None:
    daemon.start(["sh", "-c", "echo port 53 is taken; exit 1"])
    with pytest.raises(ClusterError, match="sleeper ended while starting: port 53 is taken"):
        daemon.wait_until(lambda: False, timeout=10)


def test_a_daemon_that_ended_before_its_start_was_recorded_is_gone(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start(["true"])
    record_file = tmp_path / "sleeper.pid.json"
    record_file.write_text(json.dumps({**json.loads(record_file.read_text()), "started": None}))
    assert not daemon.alive


def test_a_daemon_that_never_gets_ready_is_named_with_its_log(daemon: Daemon) -> None:
    daemon.start(["sleep", "60"])
    with pytest.raises(ClusterError, match=r"sleeper is not ready after 0 s, see .*sleeper\.log"):
        daemon.wait_until(lambda: False, timeout=0.1)


def test_a_tied_daemon_dies_with_the_process_that_started_it(daemon: Daemon, tmp_path: Path) -> None:
    script = f"""
import os
from pathlib import Path
from tests.cluster.common.daemons import Daemon
daemon = Daemon("sleeper", Path({str(tmp_path)!r}))
daemon.start(["sh", "-c", "echo on; exec sleep 60"], tied=True)
daemon.wait_until(lambda: "on" in daemon.log.read_text(), timeout=10)
os._exit(9)
"""
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script], cwd=root, check=False)
    with pytest.raises(ClusterError, match="ended while starting"):
        daemon.wait_until(lambda: False, timeout=10)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
