"""What is installed: the wheel carries the catalog and the CRD, and nothing shadows the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aistack.catalog.loader import load_catalog

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
PROGRAM = """
import aistack
from aistack.api.crd import all_crds_yaml
from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
print(aistack.__file__, catalog_folder(), load_catalog().digest, len(all_crds_yaml()), sep="\\n")
"""


def python(program: str, path: Path, cwd: Path) -> list[str]:
    """Run a program far from the checkout with our package from ``path`` and everything else as it is installed."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for a release."""
    target = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [UV, "build", "--wheel", "--quiet", "--out-dir", target, ROOT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return next(target.glob("aistack-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files as an installation lays them out."""
    target = tmp_path_factory.mktemp("site-packages")
    zipfile.ZipFile(wheel).extractall(target)
    return target


def test_an_installed_wheel_finds_its_own_catalog_from_anywhere(installed: Path, tmp_path: Path) -> None:
    module, folder, digest, crd = python(PROGRAM, installed, tmp_path)
    assert Path(module).is_relative_to(installed), "the wheel's package was tested, not the checkout's"
    assert Path(folder) == installed / "aistack" / "manifests"
    assert digest == load_catalog().digest, "and it is the same as the checkout's"
    assert int(crd) > 1000


def test_an_editable_installation_finds_the_checkout_from_anywhere(tmp_path: Path) -> None:
    _, folder, digest, _ = python(PROGRAM, ROOT / "operator", tmp_path)
    assert Path(folder) == ROOT / "manifests"
    assert digest == load_catalog().digest


def test_the_wheel_holds_the_package_and_its_data_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"aistack"}
    for wanted in (
        "aistack/manifests/profiles/starter.yaml",
        "aistack/manifests/components/postgres/component.yaml",
        "aistack/manifests/components/postgres/image/Containerfile",
        "aistack/crds/aistack.dev_aistacks.yaml",
        "aistack/proving/__main__.py",
        "aistack/py.typed",
    ):
        assert wanted in names
    shipped = {f.relative_to(ROOT / "manifests") for f in (ROOT / "manifests").rglob("*") if f.is_file()}
    packaged = {Path(n).relative_to("aistack/manifests") for n in names if n.startswith("aistack/manifests/")}
    assert {f for f in shipped - packaged if "__pycache__" not in f.parts} == set()


def test_what_the_operator_s_image_leaves_out_is_never_loaded(tmp_path: Path) -> None:
    """Typed calls of the package kubernetes, which it loads only when they are asked for."""
    loads = "import sys, aistack.controller.__main__, aistack.controller.release, aistack.cli.commands.open"
    found = "print([m for m in sys.modules if '.client.api.' in m and m.startswith('kubernetes.')])"
    assert python(f"{loads}\n{found}", ROOT / "operator", tmp_path) == ["[]"]


@pytest.mark.parametrize("command", ["aistack", "kubectl-aistack"])
def test_both_commands_are_there(wheel: Path, command: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith("entry_points.txt"))
        assert f"{command} = aistack.cli:main" in archive.read(name).decode()


def test_the_folder_operator_does_not_shadow_the_standard_library() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert [f.name for f in (ROOT / "operator").glob("*.py")] == []
    assert python("import operator; print(operator.add(1, 2))", ROOT / "operator", ROOT) == ["3"]
