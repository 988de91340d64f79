"""pgvector in one database: there, new enough, and found without the name of its schema."""

import psycopg

OLDEST = (0, 5)
"""The first version with HNSW indexes."""
CREATE = "create extension vector schema public"


def check_extension(database: psycopg.Connection) -> None:
    """Refuse a database in which a consumer can't work with vectors."""
    name = database.info.dbname
    query = "select extversion from pg_catalog.pg_extension where extname = 'vector'"
    row = database.execute(query).fetchone()
    if row is None:
        raise LookupError(f"database {name} has no extension vector; run in it as a superuser: {CREATE}")
    if tuple(int(part) for part in row[0].split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        remedy = f"install {oldest} or later and run in it as a superuser: alter extension vector update"
        raise ValueError(f"database {name} has pgvector {row[0]}, which is too old; {remedy}")
    if database.execute("select pg_catalog.to_regtype('vector')").fetchone() == (None,):
        remedy = "run in it as a superuser: alter extension vector set schema public"
        raise LookupError(f"database {name} has the type vector in a schema that isn't on the search path; {remedy}")
