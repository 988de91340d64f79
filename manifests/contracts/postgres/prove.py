"""Proves a database: work in it as its consumer does, and see that its login opens nothing else."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from contracts.postgres.client import connect, plain_errors
from psycopg import sql

OPTIONS = "-c statement_timeout=20000 -c lock_timeout=10000"
PREFIX = "aistack_proof_"
"""Tables that proofs make; the second of their making follows."""
STALE_SECONDS = 600
OLDEST = 130000
ROWS = 100
MOST_OTHERS = 10
"""How many databases of others are tried."""
OTHERS = (
    "select d.datname from pg_catalog.pg_database d join pg_catalog.pg_roles r on r.oid = d.datdba "
    "where r.rolname = d.datname and d.datname not in (current_database(), 'postgres') order by 1 limit %s"
)
"""Databases of other consumers: a claim gives each an owner of its own name."""


def prove(share: dict[str, str], step: Any) -> None:
    """Write and read rows; then be refused where the login has no business."""
    with logged_in(share, step) as database:
        work(share, step, database)
        others = administers_nothing(share, step, database)
    refused_elsewhere(share, step, others)


@contextmanager
def logged_in(share: dict[str, str], step: Any) -> Iterator[psycopg.Connection]:
    """Log in as the first step; the session is for the steps after it."""
    with ExitStack() as session:
        with step("log in"):
            database = session.enter_context(connect(share, OPTIONS))
            check_version(database)
        yield database


def own_name() -> str:
    """Return a name for a proof's table, which the sweeps of later proofs know."""
    return f"{PREFIX}{int(time.time())}_{secrets.token_hex(4)}"


def work(share: dict[str, str], step: Any, database: psycopg.Connection) -> None:
    """Do what a consumer does."""
    table = sql.Identifier(own_name())
    with step("create a table"), plain_errors(share):
        sweep(database)
        database.execute(sql.SQL("create table {} (id int primary key, words text)").format(table))
    with step(f"insert {ROWS} rows and read them"), plain_errors(share):
        write_and_read(database, table)
    with step("drop the table"), plain_errors(share):
        database.execute(sql.SQL("drop table {}").format(table))


def administers_nothing(share: dict[str, str], step: Any, database: psycopg.Connection) -> list[str]:
    """See that the login is no administrator; return names of databases that belong to others."""
    with step("the login administers nothing"), plain_errors(share):
        check_rights(share, database)
        return [name for (name,) in database.execute(OTHERS, [MOST_OTHERS]).fetchall()]


def refused_elsewhere(share: dict[str, str], step: Any, others: list[str]) -> None:
    """Be refused with a wrong password, and in the databases of others."""
    step.refuses("a wrong password", lambda: enter({**share, "password": secrets.token_hex(16)}))
    for other in others:
        step.refuses(f"the login on database {other}", lambda name=other: enter({**share, "database": name}))


def enter(binding: dict[str, str]) -> None:
    """Log in and out."""
    with connect(binding):
        pass


def check_version(database: psycopg.Connection) -> None:
    """Refuse a server that is too old for what consumers do."""
    if database.info.server_version < OLDEST:
        major = database.info.server_version // 10000
        raise ValueError(f"the server is PostgreSQL {major}; {OLDEST // 10000} is the oldest that works, upgrade it")


def sweep(database: psycopg.Connection) -> None:
    """Drop what proofs that were cut off left behind."""
    query = "select tablename from pg_catalog.pg_tables where tablename like %s and tableowner = current_user"
    for (name,) in database.execute(query, [PREFIX.replace("_", r"\_") + "%"]).fetchall():
        made = name.removeprefix(PREFIX).partition("_")[0]
        if made.isdigit() and int(made) < time.time() - STALE_SECONDS:
            database.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(name)))


def write_and_read(database: psycopg.Connection, table: sql.Identifier) -> None:
    """Insert rows, and compare what comes back."""
    written = [(number, secrets.token_hex(8)) for number in range(ROWS)]
    with database.cursor() as cursor:
        cursor.executemany(sql.SQL("insert into {} values (%s, %s)").format(table), written)
    read = database.execute(sql.SQL("select id, words from {} order by id").format(table)).fetchall()
    if read != written:
        raise RuntimeError(f"{len(written)} rows were written, and {len(read)} came back, not all of them the same")


def check_rights(share: dict[str, str], database: psycopg.Connection) -> None:
    """See that the login is no administrator."""
    query = "select rolsuper, rolcreaterole, rolcreatedb from pg_catalog.pg_roles where rolname = session_user"
    row = database.execute(query).fetchone()
    rights = [name for name, given in zip(("superuser", "createrole", "createdb"), row or (), strict=True) if given]
    if rights:
        remedy = f'alter role "{share["username"]}" {" ".join("no" + right for right in rights)}'
        raise PermissionError(f"login {share['username']} has the rights {', '.join(rights)}; run: {remedy}")
