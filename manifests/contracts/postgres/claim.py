"""Makes one consumer's database: a role that owns it and can't log in, and a login that acts as the owner.

Tables belong to the owner, so logins can come and go: a new generation of the share is another login, and the one
before it works until the generation after. Nobody but the owner and superusers may connect to the database.

The owner rules its database: its settings, and what names in it mean. So the administrator brings settings of its own.

The administrator is a superuser, or, as clouds offer it, a role with CREATEROLE and CREATEDB. Such a one can't close
the databases that are everybody's, like ``postgres``, to the logins that it makes.
"""

from contextlib import AbstractContextManager, nullcontext, suppress

import psycopg
from contracts.postgres.client import connect, opens
from psycopg import errors, sql

LONGEST_NAME = 63
"""PostgreSQL cuts longer names off without a word."""
KEPT_LOGINS = 2
ADMIN_OPTIONS = "-c search_path=pg_catalog,pg_temp -c role=none -c lock_timeout=10s"
"""Settings that a client brings along go before those that an owner gave its database."""
LIMITS = sql.SQL("nosuperuser nocreatedb nocreaterole noreplication nobypassrls")
LIMITS_BY_OTHERS = sql.SQL("nocreatedb nocreaterole")
"""All that an administrator who is no superuser may say of a role; the rest is so unless a superuser changed it."""


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the server accept the share; what exists already is brought in line."""
    if len(share["username"].encode()) > LONGEST_NAME:
        raise ValueError(f"login name {share['username']!r} is longer than {LONGEST_NAME} bytes; shorten a name")
    with administer(admin) as server:
        closed = shared_databases(admin) if rules(server) else []
        for shared in closed:
            close_to_public(server, shared)
        make_owner(server, share["database"])
        make_database(server, share["database"])
        make_login(server, share)
    with administer(admin, share["database"]) as database:
        add_vector_search(database)
        hand_over(database, logins(database, share["database"]), share["database"])
    verify(share, closed)
    end_logins(admin, share["database"], KEPT_LOGINS)


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all logins of the owner but the share's own, and their sessions."""
    end_logins(admin, share["database"], kept=1)


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all logins of the share and their sessions; the database and its owner stay."""
    end_logins(admin, share["database"], 0)


def administer(admin: dict[str, str], database: str = "") -> AbstractContextManager[psycopg.Connection]:
    """Connect as the administrator, to its own database or to one that a consumer rules."""
    return connect({**admin, "database": database or admin["database"]}, ADMIN_OPTIONS)


def shared_databases(admin: dict[str, str]) -> list[str]:
    """Return the databases that no consumer has a right to; a session in template1 would block other claims."""
    return [admin["database"], "template1"]


def rules(server: psycopg.Connection) -> bool:
    """Tell whether the administrator is a superuser."""
    return exists(server, "select 1 from pg_roles where rolname = %s and rolsuper", server.info.user)


def limits(server: psycopg.Connection) -> sql.SQL:
    """Return what keeps a role from administering anything."""
    return LIMITS if rules(server) else LIMITS_BY_OTHERS


def take_part(server: psycopg.Connection, role: str) -> None:
    """Make an administrator who is no superuser a member of a role, as it must be to give anything to it."""
    if not rules(server):
        names = sql.Identifier(role), sql.Identifier(server.info.user)
        server.execute(sql.SQL("grant {} to {}").format(*names))


def make_owner(server: psycopg.Connection, owner: str) -> None:
    """Make the role that owns all tables."""
    name = sql.Identifier(owner)
    if not exists(server, "select 1 from pg_roles where rolname = %s", owner):
        server.execute(sql.SQL("create role {} nologin").format(name))
    server.execute(sql.SQL("alter role {} nologin {}").format(name, limits(server)))
    take_part(server, owner)


def make_login(server: psycopg.Connection, share: dict[str, str]) -> None:
    """Make the login, give it the password, and let it act as the owner."""
    owner, login = sql.Identifier(share["database"]), sql.Identifier(share["username"])
    if not exists(server, "select 1 from pg_roles where rolname = %s", share["username"]):
        server.execute(sql.SQL("create role {} login").format(login))
    # The password itself never leaves this pod, so that no log of statements can show it.
    verifier = server.pgconn.encrypt_password(
        share["password"].encode(), share["username"].encode(), b"scram-sha-256"
    ).decode()
    statement = sql.SQL("alter role {} login {} password {}")
    server.execute(statement.format(login, limits(server), sql.Literal(verifier)))
    server.execute(sql.SQL("grant {} to {}").format(owner, login))
    server.execute(sql.SQL("alter role {} set role = {}").format(login, owner))
    take_part(server, share["username"])


def make_database(server: psycopg.Connection, database: str) -> None:
    """Make the database, owned by the role of its name."""
    name = sql.Identifier(database)
    if not exists(server, "select 1 from pg_database where datname = %s", database):
        server.execute(sql.SQL("create database {} owner {} template template0").format(name, name))
    close_to_public(server, database)


def close_to_public(server: psycopg.Connection, database: str) -> None:
    """Take away from everybody what PostgreSQL gives everybody: connecting, and making temporary tables."""
    server.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))


def add_vector_search(database: psycopg.Connection) -> None:
    """Add pgvector where the server has it and the administrator may."""
    if exists(database, "select 1 from pg_available_extensions where name = %s", "vector"):
        with nullcontext() if rules(database) else suppress(errors.InsufficientPrivilege):
            database.execute("create extension if not exists vector schema public")


def hand_over(database: psycopg.Connection, names: list[str], owner: str) -> None:
    """Give the owner what logins made in their own names (``set role none``), which other logins couldn't use."""
    for name in names:
        statement = sql.SQL("reassign owned by {} to {}")
        database.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))


def verify(share: dict[str, str], shared: list[str]) -> None:
    """Work as the consumer will, and check that its login opens none of the databases that were closed to it."""
    with connect(share) as database:
        with database.transaction(force_rollback=True):
            database.execute("create table aistack_claim (id int)")
        row = database.execute(
            "select current_user, rolsuper from pg_catalog.pg_roles where rolname = session_user"
        ).fetchone()
    if row != (share["database"], False):
        raise PermissionError(f"login {share['username']} acts as {row[0] if row else 'nobody'}, or is a superuser")
    for other in shared:
        if opens({**share, "database": other}):
            raise PermissionError(f"login {share['username']} can also open database {other}")


def logins(server: psycopg.Connection, owner: str) -> list[str]:
    """Return the owner's logins, oldest generation first."""
    members = server.execute(
        "select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member "
        "join pg_roles o on o.oid = a.roleid where o.rolname = %s and m.rolname like %s",
        [owner, owner.replace("_", r"\_") + ".%"],
    ).fetchall()
    found = [name for (name,) in members if name.removeprefix(f"{owner}.").isdigit()]
    return sorted(found, key=lambda name: int(name.removeprefix(f"{owner}.")))


def end_logins(admin: dict[str, str], owner: str, kept: int) -> None:
    """End all logins but the newest ones, and their sessions; what they made is the owner's and stays."""
    with administer(admin) as server:
        found = logins(server, owner)
        ended = found[: len(found) - kept]
        for name in ended:
            server.execute(sql.SQL("alter role {} nologin password null").format(sql.Identifier(name)))
            server.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s", [name])
    for name in ended:
        with administer(admin, owner) as database:
            drop_login(database, name, owner)


def drop_login(database: psycopg.Connection, name: str, owner: str) -> None:
    """Drop a login that has ended, and take away what it was given by name."""
    login = sql.Identifier(name)
    hand_over(database, [name], owner)
    database.execute(sql.SQL("drop owned by {}").format(login))
    # Somebody may have given it rights in a database that isn't ours: it stays, and nobody can log in with it.
    with suppress(errors.DependentObjectsStillExist):
        database.execute(sql.SQL("drop role {}").format(login))


def exists(server: psycopg.Connection, query: str, name: str) -> bool:
    """Tell whether a query finds something of a name."""
    return server.execute(query, [name]).fetchone() is not None
