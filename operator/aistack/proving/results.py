"""Results: what a run or a step came to, as one JSON line; and whose turn it is if it failed.

Programs raise Python's own exceptions, which say it:

=================  ===========  ====================================================================
exception          class        meaning
=================  ===========  ====================================================================
ConnectionError    ``network``  nobody answers
TimeoutError       ``slow``     somebody answers, but not in time
ssl.SSLError       ``tls``      the certificate isn't trusted, or the other side doesn't speak TLS
PermissionError    ``auth``     the credentials are refused, or open more than they should
LookupError        ``absent``   something that should be there isn't
OSError(EDQUOT)    ``quota``    the provider has no room left (also ENOSPC)
ValueError         ``other``    the binding can't work as it is written
RuntimeError       ``other``    the provider answered with an error
any other          ``other``    a fault of the program; a traceback is printed
=================  ===========  ====================================================================
"""

import errno
import json
import ssl
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TextIO

_CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionError, "network"),
    (TimeoutError, "slow"),
    (ssl.SSLError, "tls"),
    (PermissionError, "auth"),
    (LookupError, "absent"),
    (ValueError, "other"),
    (RuntimeError, "other"),
)
_FULL = (errno.EDQUOT, errno.ENOSPC)
SLIPS = (KeyError, IndexError)
"""LookupErrors and ValueErrors that a program didn't mean to raise."""


@dataclass(frozen=True)
class Result:
    """What came of a run or a step."""

    name: str
    ok: bool
    milliseconds: int
    kind: str = ""
    message: str = ""
    warning: str = ""

    def line(self) -> str:
        """Encode as JSON, with ``kind`` under its public name ``class``."""
        told = {"class" if key == "kind" else key: value for key, value in asdict(self).items()}
        return json.dumps({key: value for key, value in told.items() if value or key != "warning"})


def kind_of(error: Exception) -> str:
    """Return the class of an exception; empty if no program should raise it."""
    if isinstance(error, SLIPS):
        return ""
    if isinstance(error, OSError) and error.errno in _FULL:
        return "quota"
    return next((kind for exception, kind in _CLASSES if isinstance(error, exception)), "")


def failure(error: Exception, hide: Callable[[str], str]) -> tuple[str, str]:
    """Return class and message of whatever went wrong; a fault of the program is printed with its traceback."""
    if kind := kind_of(error):
        return kind, hide(_text(error))
    for line in traceback.format_exception(error):
        say(sys.stderr, hide(line))
    return "other", hide(f"{type(error).__name__}: {error}")


def _text(error: Exception) -> str:
    """Return an exception's message; that of an OSError comes without its number, and not as a tuple."""
    if isinstance(error, OSError):
        return error.strerror or " ".join(map(str, error.args))
    return str(error)


def report(result: Result) -> int:
    """Print a result, its message last, and return the exit status."""
    say(sys.stdout, result.line())
    if not result.ok:
        say(sys.stderr, result.message)
    return 0 if result.ok else 1


def say(stream: TextIO, line: str) -> None:
    """Print a line at once."""
    stream.write(f"{line}\n")
    stream.flush()
