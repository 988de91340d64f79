"""Sessions with a PostgreSQL server, whose refusals become Python's own exceptions."""

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from aistack.proving.trust import why_untrusted

TIMEOUT_SECONDS = 10
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""With it a client asks a server to speak TLS."""
_SILENT = f"no answer within {TIMEOUT_SECONDS} s; is it overloaded, or does a firewall drop what is sent?"
_UNTRUSTED = ("certificate has expired", "certificate is not yet valid", "does not match host name")
_UNTRUSTED += ("certificate verify failed", "root certificate file")
_SAYS: tuple[tuple[str, type[Exception], str], ...] = (
    ("authentication failed", PermissionError, "the login or its password is refused"),
    ("permission denied for database", PermissionError, "the login may not connect to this database"),
    ("not permitted to log in", PermissionError, "the login was ended (NOLOGIN)"),
    ("no pg_hba.conf entry", PermissionError, "the server's pg_hba.conf admits no such login from here"),
    ("does not support SSL", ssl.SSLError, "it doesn't speak TLS; write sslmode: prefer, or switch TLS on there"),
    ("SSL error", ssl.SSLError, "TLS failed"),
    ("failed to resolve host", ConnectionError, "the host name doesn't resolve; correct the key host"),
    ("could not translate host name", ConnectionError, "the host name doesn't resolve; correct the key host"),
    ("Connection refused", ConnectionError, "nothing listens there; is it up, and are host and port right?"),
    ("timeout expired", TimeoutError, _SILENT),
    ("timed out", TimeoutError, _SILENT),
)
"""What libpq's words mean: it gives no code before a session exists."""
_RIGHTS = "; an administrator needs the rights CREATEROLE and CREATEDB: alter role ... createrole createdb"
_FULL = ("too many connections", "remaining connection slots", "No space left")


@contextmanager
def connect(binding: dict[str, str], options: str = "") -> Iterator[psycopg.Connection]:
    """Connect as a binding says.

    Args:
        binding: host, port, database, username, password; sslmode and ca-file where they matter.
        options: settings of the session, e.g. ``-c statement_timeout=5000``.
    """
    with (
        plain_errors(binding),
        psycopg.connect(
            host=binding["host"],
            port=binding["port"],
            dbname=binding["database"],
            user=binding["username"],
            password=binding["password"],
            sslmode=binding.get("sslmode", "prefer"),
            sslrootcert=binding.get("ca-file"),
            options=options,
            connect_timeout=TIMEOUT_SECONDS,
            autocommit=True,
        ) as connection,
    ):
        yield connection


@contextmanager
def plain_errors(binding: dict[str, str]) -> Iterator[None]:
    """Turn what psycopg raises inside the block into Python's own exceptions."""
    who = f"{binding['username']} on database {binding['database']} at {binding['host']}:{binding['port']}"
    try:
        yield
    except psycopg.Error as error:
        raise plain(who, error, binding) from None


def plain(who: str, error: psycopg.Error, binding: dict[str, str]) -> Exception:
    """Return Python's own exception for the server's or libpq's."""
    text = " ".join((error.diag.message_primary or str(error)).split())
    if "certificate verify failed" in text:
        text = f"{certificate_fault(binding)}: {text}"
    if isinstance(error, errors.DiskFull | errors.TooManyConnections) or any(words in text for words in _FULL):
        return OSError(errno.EDQUOT, f"{who}: the server has no room left: {text}")
    if isinstance(error, errors.InsufficientPrivilege):
        return PermissionError(f"{who}: {text}{_RIGHTS if ' role' in text or 'database' in text else ''}")
    if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
        return TimeoutError(f"{who}: {text}")
    if isinstance(error, psycopg.OperationalError):
        return refusal(who, text)
    return RuntimeError(f"{who}: {text or type(error).__name__}")


def certificate_fault(binding: dict[str, str]) -> str:
    """Say what is wrong with the server's certificate, which libpq doesn't tell; empty if that can't be found out."""
    context = ssl.create_default_context(cafile=binding.get("ca-file"))
    place = binding["host"], int(binding["port"])
    try:
        with socket.create_connection(place, TIMEOUT_SECONDS) as plain_text:
            plain_text.sendall(SSL_REQUEST)
            plain_text.recv(1)
            with context.wrap_socket(plain_text, server_hostname=binding["host"]):
                return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return ""


def refusal(who: str, text: str) -> Exception:
    """Tell a server that refuses from one that isn't there."""
    if any(words in text for words in _UNTRUSTED):
        return ssl.SSLError(f"{who}: {why_untrusted(text)}")
    for words, kind, meaning in _SAYS:
        if words in text:
            return kind(f"{who}: {meaning}")
    if 'database "' in text and "does not exist" in text:
        return LookupError(f"{who}: the database doesn't exist")
    return ConnectionError(f"{who}: {text}")


def opens(binding: dict[str, str]) -> bool:
    """Tell whether the server lets a binding in."""
    try:
        with connect(binding):
            return True
    except PermissionError:
        return False
