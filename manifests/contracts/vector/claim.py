"""Makes one consumer's database for vectors: as the contract postgres makes a database, and pgvector must be in it.

pgvector is no extension that an owner of a database may add by itself. A superuser may, and so may the administrators
that clouds offer; where ours may not, the message says what to do.
"""

import psycopg
from contracts.postgres import claim as postgres
from contracts.postgres.client import connect
from contracts.vector.extension import CREATE, check_extension


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the server accept the share; what exists already is brought in line."""
    with postgres.administer(admin) as server:
        check_offered(admin, server)
    postgres.claim(admin, share)
    with postgres.administer(admin, share["database"]) as database:
        check_added(admin, share, database)
    with connect(share) as database:
        check_extension(database)


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all logins of the owner but the share's own, and their sessions."""
    postgres.retire(admin, share)


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all logins of the share and their sessions; the database and its owner stay."""
    postgres.revoke(admin, share)


def check_offered(admin: dict[str, str], server: psycopg.Connection) -> None:
    """Refuse a server without pgvector before anything is made there."""
    if not postgres.exists(server, "select 1 from pg_available_extensions where name = %s", "vector"):
        remedy = "install pgvector there (Debian's package postgresql-<version>-pgvector), or name another server"
        raise LookupError(f"the server at {admin['host']}:{admin['port']} has no pgvector; {remedy}")


def check_added(admin: dict[str, str], share: dict[str, str], database: psycopg.Connection) -> None:
    """Refuse a database to which the administrator may not add pgvector."""
    if not postgres.exists(database, "select 1 from pg_extension where extname = %s", "vector"):
        remedy = f"run in database {share['database']} as a superuser: {CREATE}"
        raise PermissionError(f"{admin['username']} may not add the extension vector; {remedy}")
