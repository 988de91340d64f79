"""Registries: where one is, and whether it is spoken to with TLS."""

from __future__ import annotations

import aiohttp
import pytest

from aistack.objects.artifact import parse_reference
from aistack.sources.registry import Access, Registry

CASES = {
    "others": ("registry.example.com/ai/x:1", Access(), "https"),
    "others-without-tls": ("registry.example.com/ai/x:1", Access(plain=True), "http"),
    "this-machine": ("127.0.0.1:5000/x:1", Access(), "http"),
    "this-machine-by-name": ("localhost:5000/x:1", Access(), "http"),
    "this-machine-with-an-authority": ("127.0.0.1:5000/x:1", Access(authority="PEM"), "https"),
    "this-machine-without-tls": ("127.0.0.1:5000/x:1", Access(authority="PEM", plain=True), "http"),
}


@pytest.mark.parametrize(("reference", "access", "scheme"), CASES.values(), ids=CASES)
async def test_tls_is_left_out_only_where_nobody_else_listens(reference: str, access: Access, scheme: str) -> None:
    async with aiohttp.ClientSession() as session:
        assert Registry(session, parse_reference(reference), access).base.scheme == scheme
