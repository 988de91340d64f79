"""The contract vector, against a real PostgreSQL with pgvector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.contracts import servers
from tests.contracts.shipped import Binding, ClaimFailedError, ProofFailedError, Provider, Shipped
from tests.contracts.test_postgres import KEEPS_TABLES, LOSES_ROWS, MENDED, query, spoil

DATABASE, OTHER = "demo_app_docs_vector_", "demo_app_news_vector_"
ENTER = ["log in", "find pgvector"]
WORK = [
    "create a table of vectors",
    "upsert 100 vectors",
    "find the nearest by distance and by angle",
    "find the nearest of one kind",
    "find the nearest by an index",
    "drop the table",
]
REFUSED = ["the login administers nothing", "a wrong password is refused"]


@pytest.fixture(scope="module")
def vector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A server of this part alone: it is broken in ways that other parts would feel."""
    port = servers.free_port()
    shipped = Shipped(tmp_path_factory.mktemp("vector"), ports={"postgres": port, "vector": port})
    provider = Provider(shipped, "vector", "postgres", administrator="postgres")
    with servers.postgres(provider.admin["password"], port):
        yield provider


@pytest.fixture
def share(vector: Provider) -> Binding:
    """Claimed, and so is another consumer's."""
    for consumer in ("app-docs", "app-news"):
        vector.claim(vector.share(consumer))
    return vector.share("app-docs")


def named(vector: Provider, name: str) -> Binding:
    """Return the share of a consumer that nothing else uses."""
    return {**vector.share("app-docs"), "database": name, "username": f"{name}.1"}


def test_a_proof_does_real_work_and_is_refused_elsewhere(vector: Provider, share: Binding) -> None:
    steps = vector.prove(share)
    assert steps[: len(ENTER + WORK + REFUSED)] == ENTER + WORK + REFUSED
    assert f"the login on database {OTHER} is refused" in steps


def test_a_proof_leaves_nothing_behind_and_sweeps_what_one_that_was_cut_off_left(
    vector: Provider, share: Binding
) -> None:
    query(share, "create table if not exists aistack_proof_1_ab (id int, place vector(3))")
    vector.prove(share)
    assert query(share, "select relname from pg_class where relname like 'aistack_proof%'") == []


def test_vectors_are_kept_by_a_later_generation(vector: Provider, share: Binding) -> None:
    query(share, "create table if not exists kept (id int primary key, place vector(2))")
    query(share, "insert into kept values (1, '[1,2]') on conflict do nothing")
    second = vector.share("app-docs", 2)
    vector.claim(second)
    assert query(second, "select place <-> '[1,5]' from kept") == [(3.0,)]
    vector.retire(second)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        query(share, "select 1")
    query(second, "drop table kept")
    vector.prove(second)
    vector.revoke(second)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        query(second, "select 1")


def test_a_consumer_s_rows_and_vectors_are_apart(vector: Provider) -> None:
    postgres = Provider(vector.shipped, "postgres", "postgres")
    rows, vectors = postgres.share("mlflow"), named(vector, "demo_mlflow_vector_")
    postgres.claim(rows)
    vector.claim(vectors)
    assert f"the login on database {rows['database']} is refused" in vector.prove(vectors)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        query(rows, "select 1", database=vectors["database"])
    vector.revoke(vectors)
    postgres.prove(rows)


BROKEN_DISTANCE = "create or replace function l2_distance(vector, vector) returns float8 language sql as 'select 0.0'"
NO_INDEXES = """
    alter extension vector drop operator class vector_l2_ops using hnsw;
    drop operator class vector_l2_ops using hnsw
"""
NOTHING_ALIKE = f"""
    create function public.unlike(text, text) returns bool language sql immutable as 'select false';
    create operator public.= (function = public.unlike, leftarg = text, rightarg = text);
    alter database {DATABASE} set search_path = public, pg_catalog
"""
"""A server that finds no row by its metadata."""
BREAKS = {
    "rows get lost": (LOSES_ROWS, DATABASE, "upsert 100 vectors", "other", "and 0 came back"),
    "metadata isn't found": (NOTHING_ALIKE, DATABASE, "find the nearest of one kind", "other", "row None came back"),
    "tables stay": (KEEPS_TABLES, DATABASE, "drop the table", "other", "no table is dropped"),
    "the extension is gone": (
        "drop extension vector", DATABASE,
        "find pgvector", "absent", f"{DATABASE} has no extension vector; run in it as a superuser: create extension",
    ),
    "the type is out of sight": (
        "create schema elsewhere; alter extension vector set schema elsewhere", DATABASE,
        "find pgvector", "absent", "isn't on the search path; run in it as a superuser: alter extension",
    ),
    "pgvector is too old": (
        "update pg_extension set extversion = '0.4.4' where extname = 'vector'", DATABASE,
        "find pgvector", "other", "has pgvector 0.4.4, which is too old; install 0.5 or later",
    ),
    "no right to make tables": (
        "revoke create on schema public from pg_database_owner", DATABASE,
        "create a table of vectors", "auth", "permission denied for schema public",
    ),
    "distances are wrong": (
        BROKEN_DISTANCE, DATABASE, "find the nearest by distance and by angle", "other", "the nearest by <-> is ",
    ),
    "no such indexes": (NO_INDEXES, DATABASE, "find the nearest by an index", "other", 'does not exist for access'),
    "no index is used": (
        f"alter database {DATABASE} set enable_indexscan = off", "",
        "find the nearest by an index", "other", "the HNSW index isn't used; the plan is: Limit",
    ),
    "the password was changed": (
        f"alter role \"{DATABASE}.1\" password 'other'", "", "log in", "auth", "the login or its password is refused",
    ),
    "a right too many": (
        f'alter role "{DATABASE}.1" createdb', "", "the login administers nothing", "auth", "has the rights createdb",
    ),
    "another's database is open": (
        f"grant connect on database {OTHER} to public", "",
        f"the login on database {OTHER} is refused", "auth", "was let in",
    ),
}  # fmt: skip
REPAIR = f"""
    {MENDED};
    drop operator if exists public.= (text, text);
    drop function if exists public.unlike;
    drop extension if exists vector cascade;
    drop schema if exists elsewhere cascade;
    grant create on schema public to pg_database_owner
"""


@pytest.fixture
def repaired(vector: Provider, share: Binding) -> Iterator[Binding]:
    """What a test breaks is whole again after it."""
    yield share
    spoil(vector, REPAIR, DATABASE)
    spoil(vector, f'alter role "{DATABASE}.1" nocreatedb')
    spoil(vector, f"alter database {DATABASE} reset all")
    for consumer in ("app-docs", "app-news"):
        vector.claim(vector.share(consumer))
    vector.prove(share)


@pytest.mark.parametrize(("statement", "database", "step", "kind", "says"), BREAKS.values(), ids=BREAKS)
def test_a_proof_finds_what_broke(
    vector: Provider, repaired: Binding, statement: str, database: str, step: str, kind: str, says: str
) -> None:
    spoil(vector, statement, database)
    with pytest.raises(ProofFailedError) as failed:
        vector.prove(repaired)
    assert (failed.value.step, failed.value.kind) == (step, kind)
    assert says in failed.value.message
    assert repaired["password"] not in failed.value.message


def test_a_claim_brings_the_extension_back(vector: Provider, repaired: Binding) -> None:
    spoil(vector, "drop extension vector", DATABASE)
    vector.claim(repaired)
    vector.prove(repaired)


@pytest.fixture
def bare(vector: Provider) -> Iterator[None]:
    """A server on which pgvector isn't installed."""
    ((folder,),) = query(vector.admin, "select setting from pg_config where name = 'SHAREDIR'")
    control = Path(str(folder)) / "extension" / "vector.control"
    hidden = control.rename(control.with_suffix(".hidden"))
    yield
    hidden.rename(control)


@pytest.mark.usefixtures("bare")
def test_a_server_without_pgvector_is_refused_before_anything_is_made(vector: Provider) -> None:
    with pytest.raises(ClaimFailedError, match=r"has no pgvector; install pgvector there \(Debian's") as failed:
        vector.claim(named(vector, "demo_bare_vector_"))
    assert failed.value.kind == "absent"
    assert query(vector.admin, "select 1 from pg_database where datname = 'demo_bare_vector_'") == []


@pytest.fixture
def clerk(vector: Provider) -> Binding:
    """An administrator as clouds offer it, who may add none of the extensions that only superusers may."""
    spoil(vector, "create role vector_clerk login createrole createdb password 'clerks'")
    spoil(vector, "grant connect on database postgres to vector_clerk")  # claims by a superuser close it
    return {**vector.admin, "username": "vector_clerk", "password": "clerks"}


def test_an_administrator_who_may_not_add_pgvector_is_told_who_must(vector: Provider, clerk: Binding) -> None:
    share = named(vector, "demo_clerk_vector_")
    with pytest.raises(ClaimFailedError, match="vector_clerk may not add the extension vector; run in ") as failed:
        vector.claim(share, clerk)
    assert failed.value.kind == "auth"
    told = failed.value.args[0].partition("as a superuser: ")[2]
    spoil(vector, told, share["database"])
    vector.claim(share, clerk)
    vector.prove(share)


FOREIGN: dict[str, tuple[Callable[[Binding], Binding], str, str]] = {
    "wrong password": (lambda admin: {**admin, "password": "wrong"}, "auth", "the login or its password is refused"),
    "no such database": (lambda admin: {**admin, "database": "nowhere"}, "absent", "the database doesn't exist"),
    "nobody listens": (lambda admin: {**admin, "port": "1"}, "network", "nothing listens there"),
}


@pytest.mark.parametrize(("spoilt", "kind", "says"), FOREIGN.values(), ids=FOREIGN)
def test_a_claim_that_fails_says_why(
    vector: Provider, monkeypatch: pytest.MonkeyPatch, spoilt: Callable[[Binding], Binding], kind: str, says: str
) -> None:
    monkeypatch.setattr("tests.contracts.shipped.PATIENCE", 0)
    with pytest.raises(ClaimFailedError, match=says) as failed:
        vector.claim(vector.share("app-docs"), spoilt(vector.admin))
    assert failed.value.kind == kind
    assert vector.admin["password"] not in str(failed.value)
