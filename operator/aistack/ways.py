"""How requests get to servers: through which proxy, if any. A leaf: the engine and what pulls artifacts both ask."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass


def way_to(url: str, proxy: str | None = None) -> dict[str, Any]:
    """Return how a request gets to a URL, as aiohttp's arguments: a given proxy, the environment's, or none.

    The environment is asked once here: aiohttp would ask it, and look for a .netrc, in a thread at each request.
    """
    target = urlsplit(url)
    named = None if proxy_bypass(target.hostname or "") else getproxies().get(target.scheme)
    found = urlsplit(proxy or named or "")
    if not found.hostname:
        return {}
    login, _, place = found.netloc.rpartition("@")
    headers = {"Proxy-Authorization": f"Basic {b64encode(unquote(login).encode()).decode()}"} if login else None
    return {"proxy": found._replace(netloc=place).geturl(), "proxy_headers": headers}
