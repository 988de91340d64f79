"""A spoilt catalog is told by file and line, all of it at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aistack.catalog.check import check_folders
from aistack.catalog.locate import catalog_folder

COMPONENT = "components/postgres/component.yaml"
SCHEMA = "components/postgres/values.schema.json"
CLAIM = "contracts/postgres/claim.py"


FOREIGN = """
name: postgres
title: PostgreSQL
about: From somebody else's image.
category: database
licence: PostgreSQL
home: https://www.postgresql.org
versions: ["17"]
images:
  server: {repository: library/postgres, tag: latest, platforms: [linux/amd64]}
"""


@dataclass(frozen=True)
class Spoilt:
    """One change to a good file, and what is said of it.

    ``old`` is replaced by ``new``; without ``old`` the file is written anew, or removed if ``new`` is empty, too.
    """

    id: str
    file: str
    says: str
    old: str = ""
    new: str = ""
    times: int = -1


SPOILT = (
    Spoilt("no-readme", "components/postgres/README.md", "components/postgres/README.md: is missing"),
    Spoilt("no-component-yaml", COMPONENT, f"{COMPONENT}: is missing"),
    Spoilt("no-schema", SCHEMA, f"{SCHEMA}: is missing: describe what users may set"),
    Spoilt("yaml-that-is-none", COMPONENT, f"{COMPONENT}:2: can't be parsed", new="name: postgres\n  x: [\n"),
    Spoilt("unknown-field", COMPONENT, f"{COMPONENT}:2: colour: Extra inputs", "title:", "colour: 1\ntitle:"),
    Spoilt(
        "name-of-another-folder",
        COMPONENT,
        "name 'mysql' is not the folder's",
        "name: postgres\ntitle",
        "name: mysql\ntitle",
    ),
    Spoilt(
        "unknown-contract",
        COMPONENT,
        "there is no contract 'sql'; contracts/ has",
        "contract: vector",
        "contract: sql",
    ),
    Spoilt("size-is-missing", COMPONENT, "says nothing of the size", "      small: {cpu", "      #small: {cpu"),
    Spoilt("port-that-is-none", COMPONENT, "has no port", "port: postgres\n", "port: nosuch\n"),
    Spoilt(
        "containerfile-that-is-none", COMPONENT, "image/Nosuch doesn't exist", "image/Containerfile", "image/Nosuch"
    ),
    Spoilt("no-platforms", COMPONENT, "says nothing of its platforms", "platforms:", "# platforms:"),
    Spoilt("schema-of-no-object", SCHEMA, f"{SCHEMA}:1: must describe an object", new='{"type": "string"}'),
    Spoilt(
        "schema-with-an-endless-pattern",
        SCHEMA,
        "is no regular expression of RE2",
        '"default": 100',
        '"default": 100, "pattern": "(?=a)"',
    ),
    Spoilt(
        "schema-that-leads-away", SCHEMA, "leads elsewhere", '"default": 100', '"default": 100, "$ref": "http://x/"'
    ),
    Spoilt(
        "schema-with-patterns-of-names",
        SCHEMA,
        "patternProperties: isn't taken",
        '"additionalProperties": false',
        '"additionalProperties": false, "patternProperties": {"(a+)+$": {}}',
    ),
    Spoilt("schema-that-is-none", SCHEMA, "type: is no valid JSON schema", new='{"type": "objekt"}'),
    Spoilt(
        "schema-that-lets-all-pass", SCHEMA, "lets misspelt values pass", '"additionalProperties": false', '"title": ""'
    ),
    Spoilt("value-that-is-asked-for", SCHEMA, "required: asks for values", '"type"', '"required": ["workMem"], "type"'),
    Spoilt("values-as-a-list", SCHEMA, f"{SCHEMA}:1: properties: Input should be", new='{"properties": []}'),
    Spoilt("value-that-says-nothing", SCHEMA, f"{SCHEMA}:1: properties.x: Input", new='{"properties": {"x": true}}'),
    Spoilt("value-without-description", SCHEMA, "has no description", '"description"', '"title"'),
    Spoilt("value-without-default", SCHEMA, "has no default", '"default"', '"x-default"'),
    Spoilt("default-of-a-wrong-type", SCHEMA, "doesn't follow its own schema", '"default": 100', '"default": "many"'),
    Spoilt("claim-that-is-no-python", CLAIM, f"{CLAIM}:1: is no valid Python", new="def claim(\n"),
    Spoilt("claim-without-revoke", CLAIM, "has no function revoke(admin, share)", "def revoke(", "def undo("),
    Spoilt("claim-that-is-no-text", CLAIM, f"{CLAIM}: is no text in UTF-8", new="\udcff"),
    Spoilt("latest-of-somebody-else", COMPONENT, "server.tag: latest is no version", new=FOREIGN),
    Spoilt("no-claim", CLAIM, f"{CLAIM}: is missing: write the functions claim, retire, revoke"),
    Spoilt(
        "contract-of-another-folder",
        "contracts/postgres/contract.yaml",
        "is not the folder's",
        "name: postgres",
        "name: sql",
    ),
    Spoilt(
        "profile-of-another-file",
        "profiles/starter.yaml",
        "name 'start' is not the file's",
        "name: starter",
        "name: start",
    ),
    Spoilt(
        "profile-with-unknown-component", "profiles/starter.yaml", "there is no component 'mysql'", "postgres", "mysql"
    ),
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the real catalog."""
    return Path(shutil.copytree(catalog_folder(), tmp_path_factory.mktemp("good") / "catalog"))


@pytest.fixture
def catalog(good: Path, tmp_path: Path) -> Iterator[Path]:
    return Path(shutil.copytree(good, tmp_path / "catalog"))


def test_the_real_catalog_is_in_order() -> None:
    assert [str(error) for error in check_folders(catalog_folder())] == []


@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda spoilt: spoilt.id)
def test_what_is_wrong_is_told(catalog: Path, spoilt: Spoilt) -> None:
    file = catalog / spoilt.file
    text = file.read_text()
    assert spoilt.old in text, "the good file changed; adapt the table"
    if spoilt.old:
        file.write_text(text.replace(spoilt.old, spoilt.new, spoilt.times))
    elif spoilt.new:
        file.write_bytes(spoilt.new.encode("utf-8", "surrogateescape"))
    else:
        file.unlink()
    found = [str(error) for error in check_folders(catalog)]
    assert [e for e in found if spoilt.says in e and e.startswith(spoilt.file)], found


@pytest.mark.parametrize("litter", ["components/.idea/a.xml", "components/__pycache__/a.pyc", "contracts/.git/a"])
def test_what_editors_leave_behind_is_not_checked(catalog: Path, litter: str) -> None:
    (catalog / litter).parent.mkdir()
    (catalog / litter).write_bytes(b"\xff")
    assert [str(error) for error in check_folders(catalog)] == []


def test_all_problems_are_found_at_once(catalog: Path) -> None:
    (catalog / CLAIM).write_text("")
    (catalog / "components/mlflow/README.md").unlink()
    (catalog / "components/seaweedfs/component.yaml").write_text("name: [")
    files = [error.file for error in check_folders(catalog)]
    assert files == ["components/mlflow/README.md", "components/seaweedfs/component.yaml", CLAIM, CLAIM, CLAIM]
