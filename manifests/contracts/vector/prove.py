"""Proves a database for vectors: keep some, find the nearest, with and without an index; and open nothing else.

Coordinates are small whole numbers, which PostgreSQL keeps exactly: what it finds must be what Python computes.
"""

import math
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from contracts.postgres.client import plain_errors
from contracts.postgres.prove import administers_nothing, logged_in, own_name, refused_elsewhere, sweep
from contracts.vector.extension import check_extension
from psycopg import sql

ROWS = 100
DIMENSIONS = 8
KINDS = ("even", "odd")
CLOSE = 1e-5
"""How much a distance may differ that was computed with fewer digits."""
Vector = tuple[int, ...]
Vectors = Mapping[int, Vector]
"""By the row's id; its kind follows from that."""


def prove(share: dict[str, str], step: Any) -> None:
    """Keep vectors and find the nearest; then be refused where the login has no business."""
    with logged_in(share, step) as database:
        with step("find pgvector"), plain_errors(share):
            check_extension(database)
        work(share, step, database)
        others = administers_nothing(share, step, database)
    refused_elsewhere(share, step, others)


def work(share: dict[str, str], step: Any, database: psycopg.Connection) -> None:
    """Do what a consumer does."""
    name = own_name()
    table = sql.Identifier(name)
    with step("create a table of vectors"), plain_errors(share):
        sweep(database)
        columns = sql.SQL("(id int primary key, kind text, place vector({}))").format(sql.Literal(DIMENSIONS))
        database.execute(sql.SQL("create table {} {}").format(table, columns))
    with step(f"upsert {ROWS} vectors"), plain_errors(share):
        kept = upsert_twice(database, table)
    with step("find the nearest by distance and by angle"), plain_errors(share):
        check_nearest(database, table, kept, "<->", math.dist)
        check_nearest(database, table, kept, "<=>", angle)
    with step("find the nearest of one kind"), plain_errors(share):
        check_nearest_of_kind(database, table, kept)
    with step("find the nearest by an index"), plain_errors(share):
        check_index(database, name, kept)
    with step("drop the table"), plain_errors(share):
        database.execute(sql.SQL("drop table {}").format(table))


def somewhere() -> Vector:
    """Return a vector that nobody can foresee, and that has a direction."""
    return 1, *(secrets.randbelow(201) - 100 for _ in range(DIMENSIONS - 1))


def text_of(vector: Vector) -> str:
    """Return a vector as pgvector reads it."""
    return f"[{','.join(map(str, vector))}]"


def kind_of(number: int) -> str:
    """Return a row's metadata."""
    return KINDS[number % 2]


def upsert_twice(database: psycopg.Connection, table: sql.Identifier) -> Vectors:
    """Insert half of the rows, then upsert all of them with other vectors; return what must be there."""
    upsert(database, table, {number: somewhere() for number in range(ROWS // 2)})
    kept = {number: somewhere() for number in range(ROWS)}
    upsert(database, table, kept)
    rows = database.execute(sql.SQL("select id, kind, place::text from {} order by id").format(table)).fetchall()
    if rows != [(number, kind_of(number), text_of(vector)) for number, vector in kept.items()]:
        raise RuntimeError(f"{ROWS} vectors were upserted, and {len(rows)} came back, not all of them the same")
    return kept


def upsert(database: psycopg.Connection, table: sql.Identifier, vectors: Vectors) -> None:
    """Write vectors in the place of those that have their ids."""
    text = "insert into {} values (%s, %s, %s) on conflict (id) do update set place = excluded.place"
    with database.cursor() as cursor:
        rows = [(number, kind_of(number), text_of(vector)) for number, vector in vectors.items()]
        cursor.executemany(sql.SQL(text).format(table), rows)


def angle(one: Vector, other: Vector) -> float:
    """Return the cosine distance."""
    return 1 - sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def search(table: sql.Identifier, operator: str, aim: Vector, where: str = "true") -> sql.Composed:
    """Return the query for the row nearest to a vector, and its distance."""
    text = "select id, place {0} {1} from {2} where {3} order by place {0} {1} limit 1"
    return sql.SQL(text).format(sql.SQL(operator), sql.Literal(text_of(aim)), table, sql.SQL(where))


def check_nearest(
    database: psycopg.Connection,
    table: sql.Identifier,
    among: Vectors,
    operator: str,
    exact: Callable[[Vector, Vector], float],
    where: str = "true",
) -> None:
    """Compare what is found with what Python computes; of several that are as near, any will do."""
    aim = somewhere()
    found, distance = database.execute(search(table, operator, aim, where)).fetchone() or (None, math.inf)
    nearest = min(exact(vector, aim) for vector in among.values())
    own = exact(among[found], aim) if found in among else math.inf
    if not all(math.isclose(value, nearest, rel_tol=CLOSE, abs_tol=CLOSE) for value in (distance, own)):
        raise RuntimeError(f"the nearest by {operator} is {nearest:.6g} away; row {found} came back, at {distance:.6g}")


def check_nearest_of_kind(database: psycopg.Connection, table: sql.Identifier, kept: Vectors) -> None:
    """Find the nearest among the rows with one value of their metadata."""
    for kind in KINDS:
        among = {number: vector for number, vector in kept.items() if kind_of(number) == kind}
        check_nearest(database, table, among, "<->", math.dist, f"kind = '{kind}'")


def check_index(database: psycopg.Connection, name: str, kept: Vectors) -> None:
    """Make an HNSW index, and see that it is used and finds the same."""
    table, index = sql.Identifier(name), f"{name}_near"
    text = "create index {} on {} using hnsw (place vector_l2_ops)"
    database.execute(sql.SQL(text).format(sql.Identifier(index), table))
    with database.transaction():
        # Of so few rows PostgreSQL would read all; and the index must look at all, or it might miss the nearest.
        database.execute("set local enable_seqscan = off")
        database.execute(sql.SQL("set local hnsw.ef_search = {}").format(sql.Literal(2 * ROWS)))
        explain = sql.SQL("explain (costs off) {}").format(search(table, "<->", somewhere()))
        plan = " ".join(line.strip() for (line,) in database.execute(explain).fetchall())
        if index not in plan:
            raise RuntimeError(f"the HNSW index isn't used; the plan is: {plan}")
        check_nearest(database, table, kept, "<->", math.dist)
