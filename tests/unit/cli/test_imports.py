"""Commands without a cluster load nothing of one: they must be quick, and work where it isn't installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toy import TOY
from tests.unit.cli.lab import STACK

PROGRAM = """
import sys
from aistack.cli.app import run
code = run(sys.argv[1:])
loaded = [m for m in ("kopf", "kubernetes", "aiohttp", "asyncio") if m in sys.modules]
sys.exit(f"loaded {loaded}" if loaded else code)
"""


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(("render", "-f", "stack.yaml"), id="render"),
        pytest.param(("catalog",), id="catalog"),
        pytest.param(("catalog", "show", "web"), id="catalog-show"),
        pytest.param(("crd",), id="crd"),
        pytest.param(("images", "list", "--platform", "linux/amd64"), id="images"),
        pytest.param(("version",), id="version"),
    ],
)
def test_no_cluster_libraries_are_loaded(args: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(STACK)
    catalog = [] if args[0] == "images" else ["--catalog", str(TOY)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, *catalog, *args]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_render_loads_no_rich(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(STACK)
    program = PROGRAM.replace('"kopf", ', '"rich.console", "typer.rich_utils", ')
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, "--catalog", str(TOY), "render", "-f", "stack.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
