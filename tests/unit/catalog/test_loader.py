"""Loading: the folder is the registration; what is wrong is named by file and line, never as a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from aistack.errors import CatalogError
from tests.toy import TOY, toy, toy_copy

DB = "components/db/component.yaml"
WEB = "components/web/component.yaml"
SQL = "contracts/sql/contract.yaml"
Spoil = Callable[[str], str]


def swap(old: str, new: str) -> Spoil:
    def spoil(text: str) -> str:
        assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
        return text.replace(old, new)

    return spoil


def second_contract(port: str, admin: str) -> Spoil:
    """Let the database provide the contract cache too."""
    lines = f"  - contract: cache\n    workload: server\n    port: {port}\n    {admin}\nworkloads:\n"
    return lambda text: text.replace("workloads:\n", lines, 1)


def line_of(file: str, text: str) -> int:
    """The line of a file of the toy on which a text stands first."""
    return next(n for n, line in enumerate((TOY / file).read_text().splitlines(), 1) if text in line)


SPOILT: dict[str, tuple[str, Spoil, int, str]] = {
    "no-yaml": (DB, swap("title: Database", "title: 'Database"), 0, "can't be parsed"),
    "tab": (DB, swap("  server: {repo", "\tserver: {repo"), line_of(DB, "server: {repo"), "can't be parsed"),
    "control-character": (DB, swap("title: Database", "title: Data\x07base"), 0, "can't be parsed"),
    "misspelt-field": (DB, swap("category:", "catgory:"), line_of(DB, "category:"), "catgory: Extra inputs"),
    "field-missing": (DB, swap("licence: Apache-2.0\n", ""), 1, "licence: Field required"),
    "key-twice": (DB, swap("home:", "title:"), line_of(DB, "home:"), "'title' stands here twice"),
    "name-of-another-folder": (DB, swap("name: db", "name: dbx"), 1, "name 'dbx' is not the folder's"),
    "name-in-capitals": (DB, swap("name: db", "name: DB"), 1, "name: String should match pattern"),
    "version-as-a-number": (DB, swap('["2", "1"]', "[2]"), line_of(DB, "versions:"), "versions.0: Input should be"),
    "no-version": (DB, swap('["2", "1"]', "[]"), line_of(DB, "versions:"), "versions: "),
    "size-missing": (
        DB,
        swap('      large: {cpu: "2", memory: 4Gi, memoryLimit: 8Gi}\n', ""),
        line_of(DB, "sizes:"),
        "workloads.server.sizes: says nothing of the size large",
    ),
    "size-of-a-volume-missing": (
        DB,
        swap(", large: 100Gi", ""),
        line_of(DB, "data: {small"),
        "storage.data: says nothing of the size large",
    ),
    "no-quantity": (DB, swap("memory: 128Mi", "memory: 128MB"), line_of(DB, "128Mi"), "sizes.small.memory: "),
    "port-out-of-range": (DB, swap("port: 9187", "port: 99187"), line_of(DB, "9187"), "metrics.port: "),
    "port-for-nobody": (
        DB,
        swap("{port: 9187, metrics: true}", "{port: 9187}"),
        line_of(DB, "9187"),
        "say who may connect",
    ),
    "port-for-two": (
        DB,
        swap("metrics: true", "metrics: true, page: true"),
        line_of(DB, "9187"),
        "exactly one of contract, page",
    ),
    "port-for-a-contract-of-others": (
        DB,
        swap("contract: sql}", "contract: blob}"),
        line_of(DB, "contract: sql}"),
        "workloads.server.ports.sql.contract: it doesn't provide 'blob'",
    ),
    "pods-that-go-where-nothing-is": (
        WEB,
        swap("egress: [kubernetes]", "egress: [kubernetes, moon]"),
        line_of(WEB, "egress: [kubernetes]"),
        "workloads.server.egress.1: Input should be 'internet', 'kubernetes' or 'metrics'",
    ),
    "switch-of-what-the-pods-do-not-reach": (
        WEB,
        swap("egress: [internet]", "egress: [metrics]"),
        line_of(WEB, "switches:"),
        "workloads.worker.switches.internet: the workload's egress has no 'internet' to switch",
    ),
    "switch-that-no-value-is": (
        WEB,
        swap("{internet: online}", "{internet: onlin}"),
        line_of(WEB, "switches:"),
        "workloads.worker.switches.internet: values.schema.json has no value 'onlin' that is true or false",
    ),
    "switch-by-a-text": (
        WEB,
        swap("{internet: online}", "{internet: title}"),
        line_of(WEB, "switches:"),
        "workloads.worker.switches.internet: values.schema.json has no value 'title' that is true or false",
    ),
    "provider-without-workload": (
        DB,
        swap("    workload: server", "    workload: sever"),
        line_of(DB, "workload: server"),
        "provides.0.workload: there is no workload 'sever'",
    ),
    "provider-without-port": (
        DB,
        swap("    port: sql", "    port: sqll"),
        line_of(DB, "    port: sql"),
        "has no port 'sqll'",
    ),
    "provider-on-a-port-that-consumers-cannot-reach": (
        DB,
        swap("    port: sql", "    port: replication"),
        line_of(DB, "    port: sql"),
        "provides.0.port: the port 'replication' doesn't admit consumers; write contract: sql",
    ),
    "administrator-of-what-it-does-not-provide": (
        DB,
        second_contract("sql", "adminOf: blob"),
        line_of(DB, "workloads:") + 3,
        "provides.1.adminOf: it doesn't provide 'blob' with an administrator of its own",
    ),
    "administrator-of-itself": (
        DB,
        second_contract("sql", "adminOf: cache"),
        line_of(DB, "workloads:") + 3,
        "provides.1.adminOf: it doesn't provide 'cache' with an administrator of its own",
    ),
    "administrator-of-another-port": (
        DB,
        second_contract("metrics", "adminOf: sql"),
        line_of(DB, "workloads:") + 3,
        "provides.1.adminOf: 'sql' is provided elsewhere; write its workload and port here",
    ),
    "two-administrators": (
        DB,
        second_contract("sql", "adminOf: sql\n    admin: {username: root}"),
        line_of(DB, "workloads:") + 4,
        "provides.1.admin: the administrator is that of adminOf; leave one of the two out",
    ),
    "limit-below-the-request": (
        DB,
        swap("memory: 128Mi, memoryLimit: 256Mi", "memory: 1Gi, memoryLimit: 1000Mi"),
        line_of(DB, "128Mi"),
        "memoryLimit 1000Mi is less than the request of 1Gi",
    ),
    "processors-below-the-request": (
        DB,
        swap('cpuLimit: "1"', "cpuLimit: 499m"),
        line_of(DB, 'cpuLimit: "1"'),
        "cpuLimit 499m is less than the request of 500m",
    ),
    "repository-that-is-none": (
        DB,
        swap("repository: db", 'repository: "DB:1 2"'),
        line_of(DB, "repository: db"),
        "repository: String should match",
    ),
    "tag-that-is-none": (DB, swap("tag: 2.0-1", "tag: 2.0/1"), line_of(DB, "tag: 2.0-1"), "tag: String should match"),
    "style-of-no-text": (
        SQL,
        swap("{database:url}", "{database:urk}"),
        line_of(SQL, "uri:"),
        "{database} may be followed by :url and by nothing else",
    ),
    "style-of-no-text-where-a-value-may-be-generated": (
        DB,
        swap("username: root", 'username: "{database:urk}"'),
        line_of(DB, "username: root"),
        "provides.0.admin.username.text: {database} may be followed by :url and by nothing else",
    ),
    "number-for-a-value": (
        DB,
        swap("username: root", "username: 5"),
        line_of(DB, "username: root"),
        "provides.0.admin.username.generated: Input should be a valid dictionary",
    ),
    "conversion-in-a-text": (SQL, swap("{database:url}", "{database!r}"), line_of(SQL, "uri:"), "by nothing else"),
    "secret-that-is-written-down": (
        SQL,
        swap("password: {generate: {length: 32}}", "password: hunter2"),
        line_of(SQL, "password: {generate"),
        "share.password: is a secret key, and this value is in the catalog for all to read",
    ),
    "braces-that-do-not-match": (
        DB,
        swap("username: root", 'username: "{root"'),
        line_of(DB, "username: root"),
        "provides.0.admin.username",
    ),
    "share-of-no-key": (
        SQL,
        swap('  database: "{share_}"', '  databse: "{share_}"'),
        line_of(SQL, '"{share_}"'),
        "share.databse: is no key",
    ),
    "derived-from-no-key": (
        SQL,
        swap("@{host}", "@{hots}"),
        line_of(SQL, "uri:"),
        "derived.uri: names {hots}, which is no key",
    ),
    "contract-of-another-folder": (SQL, swap("name: sql", "name: sqlx"), 1, "name 'sqlx' is not the folder's"),
    "profile-of-another-file": ("profiles/toy.yaml", swap("name: toy", "name: tyo"), 1, "is not the file's"),
    "schema-that-is-no-json": (
        "components/db/values.schema.json",
        swap('"type": "object",', '"type": "object'),
        0,
        "can't be parsed",
    ),
    "runner-without-tag": ("images/runner/image.yaml", swap("tag: 1.0-1\n", ""), 1, "tag: Field required"),
    "empty-file": (DB, lambda _: "", 1, "(top level): "),
    "list-for-a-map": (DB, lambda _: "- a\n", 1, "(top level): "),
    "binary-for-a-text": (DB, lambda _: "\udcff", 0, "is no text in UTF-8"),
}


@pytest.mark.parametrize(("file", "spoil", "line", "says"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_is_named_by_file_and_line(tmp_path: Path, file: str, spoil: Spoil, line: int, says: str) -> None:
    path = toy_copy(tmp_path) / file
    path.write_bytes(spoil(path.read_text()).encode("utf-8", "surrogateescape"))
    with pytest.raises(CatalogError) as refused:
        load_catalog(tmp_path / "catalog")
    assert refused.value.file == file
    assert says in refused.value.problem
    assert refused.value.line == line or not line


PAGE = "{title: Other, workload: front, port: http}"
SPOILT_METRICS = {
    "nowhere": ("workload: back, port: http", "there is no workload 'back'"),
    "no-port": ("workload: front, port: metrics", "the workload 'front' has no port 'metrics'"),
    "closed-port": ("workload: server, port: api", "the port 'api' lets nobody collect; write metrics: true"),
    "no-path": ("workload: front, port: http, path: metrics", "String should match pattern"),
    "no-secret": ("workload: front, port: http, login: {secret: x, token: key}", "there is no secret 'x'"),
    "no-key": ("workload: front, port: http, login: {secret: session, token: x}", "'session' has no key 'x'"),
    "many": ("workload: front, port: http, login: {secret: user, token: login}", "is one for each of several"),
    "no-login": ("workload: front, port: http, login: {secret: session}", "name either the key of a token, or"),
    "half-a-login": ("workload: front, port: http, login: {secret: session, username: key}", "name either the key"),
    "two-logins": (
        "workload: front, port: http, login: {secret: session, token: key, username: key, password: key}",
        "name either the key of a token, or",
    ),
}


@pytest.mark.parametrize(
    ("component", "old", "new", "says"),
    [
        pytest.param("web", "login: {secret: user}", "login: {secret: usr}", "there is no secret 'usr'", id="login"),
        pytest.param(
            "web", "login: {secret: user}", "login: {provided: sql}", "it doesn't provide 'sql'", id="provided"
        ),
        pytest.param("web", "login: {secret: user}", "login: {}", "name either a secret or a provided", id="neither"),
        pytest.param("web", "workload: worker", "workload: server", "no spawned workload 'server'", id="not-spawned"),
        pytest.param("web", "internal: [front]", "internal: [fornt]", "there is no workload 'fornt'", id="internal"),
        pytest.param("web", "footprint: 2", "volumes: {home: size}", "there is no storage 'home'", id="volume"),
        pytest.param("web", "contract: cache", "contract: sql", "two shares named 'sql'", id="two-shares"),
        pytest.param("web", "    path: /home", "    pth: /home", "Extra inputs are not permitted", id="page"),
        pytest.param("web", "\npages:", f"\npages:\n  - {PAGE}", "is a second page", id="second-page"),
        *(
            pytest.param("web", "\npages:", f"\nmetrics:\n  - {{{metrics}}}\npages:", says, id=f"metrics-{name}")
            for name, (metrics, says) in SPOILT_METRICS.items()
        ),
    ],
)
def test_names_that_lead_nowhere(tmp_path: Path, component: str, old: str, new: str, says: str) -> None:
    file = toy_copy(tmp_path) / "components" / component / "component.yaml"
    file.write_text(swap(old, new)(file.read_text()))
    with pytest.raises(CatalogError) as refused:
        load_catalog(tmp_path / "catalog")
    assert refused.value.file == f"components/{component}/component.yaml"
    assert refused.value.line > 1
    assert says in refused.value.problem


@pytest.mark.parametrize("missing", [DB, SQL, "images/runner/image.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (toy_copy(tmp_path) / missing).unlink()
    with pytest.raises(CatalogError, match=f"{missing}: is missing"):
        load_catalog(tmp_path / "catalog")


def test_the_folder_is_the_registration() -> None:
    folders = {f.name for f in (TOY / "components").iterdir()}
    assert set(toy().components) == folders
    assert toy().components["web"].files["welcome.txt"].startswith("Welcome to {{ nothing }}")
    assert list(toy().components["web"].templates) == ["config.yaml.j2", "front.yaml.j2", "server.yaml.j2"]
    assert "def claim" in toy().contracts["sql"].programs["claim.py"]


@pytest.mark.parametrize("litter", [".idea/a.xml", "__pycache__/a.pyc", "README.md"])
def test_what_editors_leave_behind_is_no_component(tmp_path: Path, litter: str) -> None:
    file = toy_copy(tmp_path) / "components" / litter
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"\xff")
    (tmp_path / "catalog/components/web/files/.DS_Store").write_bytes(b"\xff")
    assert load_catalog(tmp_path / "catalog").digest == toy().digest


CHANGES = {
    "a-value-s-default": ("components/db/values.schema.json", True),
    "a-template": ("components/db/templates/server.yaml.j2", True),
    "a-file": ("components/web/files/welcome.txt", True),
    "a-claim": ("contracts/sql/claim.py", True),
    "a-readme": ("components/db/README.md", False),
    "a-test": ("components/db/tests/default/stack.yaml", False),
    "a-containerfile": ("components/db/image/Containerfile", False),
}


@pytest.mark.parametrize(("file", "counts"), CHANGES.values(), ids=CHANGES)
def test_the_digest_changes_with_what_can_change_a_plan(tmp_path: Path, file: str, counts: bool) -> None:
    path = toy_copy(tmp_path) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text() if path.exists() else ""
    path.write_text(text.replace("100", "101") if file.endswith(".json") else f"{text}\n# more\n")
    assert (load_catalog(tmp_path / "catalog").digest != toy().digest) is counts


def test_a_catalog_is_named_or_found(tmp_path: Path) -> None:
    assert catalog_folder(TOY) == TOY
    assert (catalog_folder() / "components" / "postgres").is_dir()
    with pytest.raises(CatalogError, match=r"holds no catalog \(a folder with components/\); name one with --catalog"):
        catalog_folder(tmp_path)
