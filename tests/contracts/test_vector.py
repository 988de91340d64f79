"""The contract vector, against a real PostgreSQL with pgvector."""

from __future__ import annotations

from tests.contracts.shipped import Provider


def test_x(vector: Provider) -> None:
    vector.claim(vector.share("app-docs"))
    print(vector.share("app-docs"))
    for _ in range(20):
        print(vector.prove(vector.share("app-docs")))
