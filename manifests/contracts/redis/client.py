"""Sessions with a store that speaks Redis' protocol, whose refusals become Python's own exceptions."""

import errno
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from aistack.proving.trust import why_untrusted

TIMEOUT_SECONDS = 10
OLDEST = 6
"""The first version of Redis with users of their own; Valkey tells with which it is compatible."""
_REFUSED = ("NOAUTH", "Authentication required")
_OLD = f"Valkey, and Redis from {OLDEST} on, work"


@contextmanager
def connect(binding: dict[str, str], *, login: bool = True) -> Iterator[redis.Redis]:
    """Connect as a binding says.

    Args:
        binding: host, port, username, password; scheme, database and ca-file where they matter.
        login: False sends no credentials.
    """
    with plain_errors(binding):
        session = redis.Redis(
            host=binding["host"],
            port=int(binding["port"]),
            db=int(binding.get("database", "0")),
            username=binding["username"] if login else None,
            password=binding["password"] if login else None,
            ssl=binding.get("scheme") == "rediss",
            ssl_ca_certs=binding.get("ca-file"),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        with session:
            yield session


@contextmanager
def plain_errors(binding: dict[str, str]) -> Iterator[None]:
    """Turn what the client library raises into Python's own exceptions."""
    who = f"{binding['username']} at {binding['host']}:{binding['port']}"
    try:
        yield
    except exceptions.RedisError as error:
        raise plain(who, error) from None


def plain(who: str, error: exceptions.RedisError) -> Exception:
    """Return Python's own exception for the store's or the library's."""
    text = " ".join(str(error).split())
    if isinstance(error, exceptions.NoPermissionError) or "ACL failure in script" in text:
        return PermissionError(f"{who}: refused; give the user the right ({text})")
    if isinstance(error, exceptions.AuthenticationError) or any(words in text for words in _REFUSED):
        return PermissionError(f"{who}: refused; are username and password right? ({text})")
    if isinstance(error, exceptions.OutOfMemoryError) or "MISCONF" in text:
        return OSError(errno.EDQUOT, f"{who}: the store has no room left ({text})")
    if isinstance(error, exceptions.BusyLoadingError):
        return ConnectionError(f"{who}: the store is still loading its data")
    if isinstance(error, exceptions.TimeoutError):
        remedy = "is it overloaded, or is the key scheme wrong?"
        return TimeoutError(f"{who}: no answer within {TIMEOUT_SECONDS} s; {remedy}")
    if isinstance(error, exceptions.ConnectionError):
        return unanswered(who, text)
    if "unknown command" in text.lower():
        return RuntimeError(f"{who}: the server is too old or lacks commands ({text}); {_OLD}")
    return RuntimeError(f"{who}: {text}")


def check_version(session: redis.Redis) -> None:
    """Refuse a server that is too old; a user who may not ask how old it is finds out by what fails."""
    try:
        version = str(session.info("server").get("redis_version", ""))
    except exceptions.NoPermissionError:
        return
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        raise ValueError(f"the server is Redis {version}, which is too old; upgrade it to {OLDEST} or later")


def unanswered(who: str, text: str) -> Exception:
    """Tell why no session came about."""
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return ssl.SSLError(f"{who}: {why_untrusted(text)}")
    if "SSL" in text or "WRONG_VERSION_NUMBER" in text:
        return ssl.SSLError(f"{who}: it doesn't speak TLS, or not as we do; is the key scheme right?")
    if "Name or service not known" in text or "resolution" in text:
        return ConnectionError(f"{who}: the host name doesn't resolve; correct the key host")
    return ConnectionError(f"{who}: nothing answers there ({text}); is it up, and are host and port right?")
