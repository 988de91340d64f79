"""Registries, as a user reaches them."""

from __future__ import annotations

from pathlib import Path

from aistack.cli.session import Session
from aistack.objects.artifact import Reference, parse_reference
from aistack.sources.credentials import user_logins
from aistack.sources.registry import Access


def access_of(*, plain: bool = False, ca: Path | None = None) -> Access:
    """Return how a user reaches registries: with the logins of docker, podman or buildah.

    Args:
        plain: whether to speak HTTP without TLS.
        ca: file with the certificate of a private authority.

    Raises:
        InvalidError: the file of logins isn't what it should be.
        OSError: the certificate can't be read.
    """
    return Access(user_logins(), ca.read_text("utf-8") if ca else "", plain)


async def artifacts_of_cluster(session: Session) -> list[Reference]:
    """Return the artifacts that a cluster's AIComponents use, or ask for.

    Raises:
        ClusterError: they can't be read.
    """
    from aistack.cli.pieces import Pieces

    async with session.client() as client:
        pieces = await Pieces(client).list()
    return [parse_reference(piece.status.artifact or piece.spec.artifact) for piece in pieces]
