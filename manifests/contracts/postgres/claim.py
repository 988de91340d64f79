"""Makes one consumer's database: a role that owns it and can't log in, and a login that acts as the owner.

Tables belong to the owner, so logins can come and go: a new generation of the share is another login, and the one
before it works until the generation after. Nobody but the owner and superusers may connect to the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors, sql

TIMEOUT_SECONDS = 10
LONGEST_NAME = 63
"""PostgreSQL cuts longer names off without a word."""
KEPT_LOGINS = 2


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the server accept the share; what exists already is brought in line."""
    if len(share["username"].encode()) > LONGEST_NAME:
        raise ValueError(f"login name {share['username']!r} is longer than {LONGEST_NAME} bytes; shorten a name")
    with connect(admin) as server:
        make_owner(server, share["database"])
        make_login(server, share)
        make_database(server, share["database"])
        close_to_public(server, admin["database"])
    with connect({**admin, "database": share["database"]}) as database:
        add_vector_search(database)
    verify(admin, share)
    with connect(admin) as server:
        drop_logins(server, logins(server, share["database"])[:-KEPT_LOGINS])


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all logins of the share and their sessions; the database and its owner stay."""
    with connect(admin) as server:
        drop_logins(server, logins(server, share["database"]))


@contextmanager
def connect(binding: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Connect as a binding says; the server's refusals become Python's own exceptions."""
    who = f"{binding['username']} on database {binding['database']} at {binding['host']}:{binding['port']}"
    try:
        with psycopg.connect(
            host=binding["host"],
            port=binding["port"],
            dbname=binding["database"],
            user=binding["username"],
            password=binding["password"],
            connect_timeout=TIMEOUT_SECONDS,
            autocommit=True,
        ) as connection:
            yield connection
    except errors.InsufficientPrivilege as error:
        raise PermissionError(f"{who}: {error.diag.message_primary}") from None
    except psycopg.OperationalError as error:
        raise refusal(who, error) from None
    except psycopg.Error as error:
        raise RuntimeError(f"{who}: {error.diag.message_primary or type(error).__name__}") from None


def refusal(who: str, error: psycopg.OperationalError) -> Exception:
    """Tell a server that refuses from one that isn't there; libpq gives no code before a session exists."""
    text = " ".join(str(error).split())
    if "authentication failed" in text or "permission denied" in text:
        return PermissionError(f"{who}: refused by the server")
    if 'database "' in text and "does not exist" in text:
        return LookupError(f"{who}: the database doesn't exist")
    return ConnectionError(f"{who}: {text}")


def make_owner(server: psycopg.Connection, owner: str) -> None:
    """Make the role that owns all tables."""
    if not exists(server, "select 1 from pg_roles where rolname = %s", owner):
        server.execute(sql.SQL("create role {} nologin").format(sql.Identifier(owner)))


def make_login(server: psycopg.Connection, share: dict[str, str]) -> None:
    """Make the login, give it the password, and let it act as the owner."""
    owner, login = sql.Identifier(share["database"]), sql.Identifier(share["username"])
    if not exists(server, "select 1 from pg_roles where rolname = %s", share["username"]):
        server.execute(sql.SQL("create role {} login").format(login))
    # The password itself never leaves this pod, so that no log of statements can show it.
    verifier = server.pgconn.encrypt_password(
        share["password"].encode(), share["username"].encode(), b"scram-sha-256"
    ).decode()
    limits = sql.SQL("login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password {}")
    server.execute(sql.SQL("alter role {} ").format(login) + limits.format(sql.Literal(verifier)))
    server.execute(sql.SQL("grant {} to {}").format(owner, login))
    server.execute(sql.SQL("alter role {} set role = {}").format(login, owner))


def make_database(server: psycopg.Connection, database: str) -> None:
    """Make the database, owned by the role of its name."""
    name = sql.Identifier(database)
    if not exists(server, "select 1 from pg_database where datname = %s", database):
        server.execute(sql.SQL("create database {} owner {}").format(name, name))
    close_to_public(server, database)


def close_to_public(server: psycopg.Connection, database: str) -> None:
    """Take away from everybody what PostgreSQL gives everybody: connecting, and making temporary tables."""
    server.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))


def add_vector_search(database: psycopg.Connection) -> None:
    """Add pgvector where the server has it; only a superuser may."""
    if exists(database, "select 1 from pg_available_extensions where name = %s", "vector"):
        database.execute("create extension if not exists vector")


def verify(admin: dict[str, str], share: dict[str, str]) -> None:
    """Work as the consumer will, and check that its login opens nothing else."""
    with connect(share) as database:
        with database.transaction(force_rollback=True):
            database.execute("create table aistack_claim (id int)")
        row = database.execute("select current_user, rolsuper from pg_roles where rolname = session_user").fetchone()
    if row != (share["database"], False):
        raise PermissionError(f"login {share['username']} acts as {row[0] if row else 'nobody'}, or is a superuser")
    try:
        with connect({**share, "database": admin["database"]}):
            pass
    except PermissionError:
        return
    raise PermissionError(f"login {share['username']} can also open database {admin['database']}")


def logins(server: psycopg.Connection, owner: str) -> list[str]:
    """Return the owner's logins, oldest generation first."""
    members = server.execute(
        "select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member "
        "join pg_roles o on o.oid = a.roleid where o.rolname = %s and m.rolname like %s",
        [owner, owner.replace("_", r"\_") + r"\_%"],
    ).fetchall()
    found = [name for (name,) in members if name.removeprefix(f"{owner}_").isdigit()]
    return sorted(found, key=lambda name: int(name.removeprefix(f"{owner}_")))


def drop_logins(server: psycopg.Connection, names: list[str]) -> None:
    """Drop logins and end their sessions; what they made belongs to the owner and stays."""
    for name in names:
        server.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(name)))
        server.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [name])
        server.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def exists(server: psycopg.Connection, query: str, name: str) -> bool:
    """Tell whether a query finds something of a name."""
    return server.execute(query, [name]).fetchone() is not None
