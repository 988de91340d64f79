"""One registry over HTTP: where it is, how to log in, and its refusals in words."""

from __future__ import annotations

import json
import re
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from aistack.errors import InvalidError, RegistryError
from aistack.objects.artifact import Reference
from aistack.sources.credentials import NO_LOGINS, Login, Logins
from aistack.ways import way_to

NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ASKED = re.compile(r'(\w+)="([^"]*)"')
_MOST_WORDS = 2**16
"""Bytes of a refusal, or of a token, that are read."""
_SAID = 300
"""Characters of a registry's words that a message quotes."""
_REMEDIES: Mapping[int, str] = {
    401: "log in: a Secret of type kubernetes.io/dockerconfigjson for the operator, docker login for yourself",
    403: "ask whoever runs the registry for the right",
    404: "push it first, or correct the reference",
    429: "it is tried again; ask for a higher limit if it lasts",
}


@dataclass(frozen=True)
class Access:
    """How registries are reached."""

    logins: Logins = NO_LOGINS
    authority: str = ""
    """Certificates, as PEM, of an authority that is trusted besides the system's; empty for none."""
    plain: bool = False
    """Whether to speak HTTP without TLS; this machine's own may do so anyway."""
    seconds: float = 60.0
    """Time for all of one artifact."""

    def tls(self) -> ssl.SSLContext:
        """Return whom to trust.

        Raises:
            InvalidError: the authority's certificates can't be read.
        """
        context = ssl.create_default_context()
        if self.authority:
            try:
                context.load_verify_locations(cadata=self.authority)
            except ssl.SSLError:
                raise InvalidError(
                    "ca.crt: holds no certificates; write them as PEM (-----BEGIN CERTIFICATE-----)"
                ) from None
        return context


@dataclass
class Registry:
    """A repository of a registry, and what opens it.

    Args:
        session: connections.
        reference: names the repository.
        access: how it is reached.
    """

    session: aiohttp.ClientSession
    reference: Reference
    access: Access
    _authorization: dict[str, str] = field(default_factory=dict)
    """Header by what it was asked for: ``pull`` or ``pull,push``."""
    _speaks_tls: bool = True
    """What is known of one of this machine's own, where an authority is named that may be another registry's."""

    @property
    def base(self) -> URL:
        """Where the repository is."""
        tls = not self.access.plain and (not self._loopback or (self._speaks_tls and self.access.authority))
        host = "registry-1.docker.io" if self.reference.host == "docker.io" else self.reference.host
        return URL(f"{'https' if tls else 'http'}://{host}/v2/{self.reference.repository}/")

    @property
    def _loopback(self) -> bool:
        """Whether it is this machine's own."""
        host = self.reference.host
        return host.rpartition(":")[0] in LOOPBACK or host in LOOPBACK

    @asynccontextmanager
    async def ask(
        self, method: str, url: URL, *, may: str = "pull", accepts: tuple[int, ...] = (200,), **sent: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request, once more with a login where the registry asks for one.

        Args:
            method: of HTTP.
            url: where to.
            may: the right that it takes: ``pull`` or ``pull,push``.
            accepts: answers that are no refusal.
            sent: aiohttp's arguments.

        Raises:
            RegistryError: it was refused, or no answer came.
        """
        try:
            response = await self._send(method, url, may, sent)
            if response.status == 401:
                await self._log_in(response, may)
                response = await self._send(method, url, may, sent)
            async with response:
                if response.status not in accepts:
                    raise await self._refusal(response)
                yield response
        except NETWORK_ERRORS as error:
            raise self.silent(error) from error

    async def upload(self, digest: str) -> URL:
        """Begin to push a blob, and return where to send it.

        Raises:
            RegistryError: it was refused, or no answer came.
        """
        async with self.ask("POST", self.base / "blobs" / "uploads/", may="pull,push", accepts=(202,)) as begun:
            location = self.base.join(URL(begun.headers.get("Location", ""), encoded=True))
        return location.update_query(digest=digest)

    async def _send(self, method: str, url: URL, may: str, sent: Mapping[str, Any]) -> aiohttp.ClientResponse:
        known = self._authorization.get(may) if url.origin() == self.base.origin() else None
        headers = {**sent.get("headers", {}), **({"Authorization": known} if known else {})}
        try:
            return await self.session.request(method, url, **{**sent, "headers": headers}, **way_to(str(url)))
        except aiohttp.ClientConnectorSSLError:
            if not self._loopback or not self._speaks_tls:
                raise
            self._speaks_tls = False
            return await self._send(method, url.with_scheme("http"), may, sent)

    async def _log_in(self, response: aiohttp.ClientResponse, may: str) -> None:
        """Answer what a registry asks of whoever isn't logged in, or give up with its own words."""
        asked, login = response.headers.get("WWW-Authenticate", ""), self.access.logins.of(self.reference)
        scheme = asked.partition(" ")[0].lower()
        if scheme == "bearer":  # also where a token has run out
            self._authorization[may] = f"Bearer {await self._token(dict(_ASKED.findall(asked)), login, may)}"
        elif scheme == "basic" and login and may not in self._authorization:
            self._authorization[may] = _basic(login)
        else:
            raise await self._refusal(response)
        response.release()

    async def _token(self, asked: Mapping[str, str], login: Login | None, may: str) -> str:
        realm = asked.get("realm", "")
        if urlsplit(realm).scheme != "https" and self.base.scheme == "https":
            raise RegistryError(str(self.reference), f"would send the login to {realm!r}", "use a registry with TLS")
        query = {"service": asked.get("service", ""), "scope": f"repository:{self.reference.repository}:{may}"}
        if login and login.token:
            form = {**query, "grant_type": "refresh_token", "refresh_token": login.token, "client_id": "aistack"}
            call = self.session.post(realm, data=form, **way_to(realm))
        else:
            headers = {"Authorization": _basic(login)} if login else {}
            call = self.session.get(realm, params=query, headers=headers, **way_to(realm))
        async with call as response:
            if response.status != 200:
                raise await self._refusal(response)
            found = await _json(response)
            return str(found.get("token") or found.get("access_token") or "")

    async def _refusal(self, response: aiohttp.ClientResponse) -> RegistryError:
        found, status = await _json(response), response.status
        errors = found.get("errors") if isinstance(found.get("errors"), list) else []
        said = "; ".join(str(e.get("message") or e.get("code")) for e in errors or () if isinstance(e, dict))
        words = f"the registry answers {status} {said or response.reason or ''}".rstrip()[:_SAID]
        remedy = _REMEDIES.get(status, "it is tried again; its own log says why")
        return RegistryError(str(self.reference), words, remedy, status)

    def silent(self, error: BaseException) -> RegistryError:
        """Say why no answer came."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            remedy = "give its authority's certificate as ca.crt, in the Secret beside the login or with --ca"
            return RegistryError(str(self.reference), f"its certificate isn't trusted: {error}"[:_SAID], remedy)
        if isinstance(error, TimeoutError):
            said = f"the registry took longer than {self.access.seconds:g} s"
            return RegistryError(str(self.reference), said, "it is tried again; see whether it is overloaded")
        said = f"the registry can't be reached: {str(error) or type(error).__name__}"[:_SAID]
        return RegistryError(str(self.reference), said, "correct the reference, or let the network through")


def _basic(login: Login) -> str:
    return f"Basic {b64encode(f'{login.username}:{login.password}'.encode()).decode()}"


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Read a small answer; one that is no JSON says nothing."""
    raw = await response.content.read(_MOST_WORDS)
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
