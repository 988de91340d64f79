"""Runs one function of a contract's program: ``python runner.py claim s3``.

The program ``<step>.py`` (``claim.py``) lies beside this file. It is given the provider's admin binding and the
consumer's share as dictionaries, read from the Secrets' files under ``/bindings/admin`` and ``/bindings/share``. It
returns when all is as it should be, and otherwise raises one of Python's own exceptions, which say whose turn it is:

=================  ===============  =================================================================
exception          class            meaning
=================  ===============  =================================================================
ConnectionError    ``unreachable``  nobody answers; tried again for a while, then by another Job
PermissionError    ``auth``         the credentials are refused, or open more than they should
LookupError        ``absent``       something that should be there isn't
ValueError         ``invalid``      the binding can't work as it is written
RuntimeError       ``failed``       the provider answered with an error
any other          ``bug``          a fault of the program; a traceback is printed
=================  ===============  =================================================================

The last line on standard error is the message, for Kubernetes' termination message.
"""

import importlib.util
import json
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO
from urllib.parse import quote, quote_plus

PROGRAMS = {"claim": "claim.py", "revoke": "claim.py"}
"""Which file holds the function of that name."""
BINDINGS = Path("/bindings")
PATIENCE = 60.0
"""Seconds for which an unreachable provider is tried again: a Service lags behind its pods."""
LONGEST = 1000
"""Most characters of a message."""
_SECRET_KEY = re.compile(r"password|secret|token|key", re.IGNORECASE)
_URI_PASSWORD = re.compile(r"://[^/?#\s:]*:([^/?#\s]+)@")
SHORTEST_SECRET = 6
"""Fewest characters of a value that is blotted out: a shorter one stands in every other word."""
_CLASSES: Mapping[type[Exception], str] = {
    ConnectionError: "unreachable",
    PermissionError: "auth",
    LookupError: "absent",
    ValueError: "invalid",
    RuntimeError: "failed",
}
EXPECTED = tuple(_CLASSES)

Binding = dict[str, str]
Program = Callable[[Binding, Binding], None]


@dataclass(frozen=True)
class Result:
    """What came of a run; printed as one JSON line."""

    name: str
    ok: bool
    milliseconds: int
    kind: str = ""
    message: str = ""

    def line(self) -> str:
        """Encode as JSON, with ``kind`` under its public name ``class``."""
        return json.dumps({"class" if key == "kind" else key: value for key, value in asdict(self).items()})


def main(
    arguments: list[str], bindings: Path = BINDINGS, programs: Path | None = None, patience: float = PATIENCE
) -> int:
    """Run a contract's function and print what came of it.

    Args:
        arguments: the function (``claim`` or ``revoke``) and the contract's name.
        bindings: folder with ``admin`` and ``share``.
        programs: folder of the program; this file's by default.
        patience: seconds for which an unreachable provider is tried again.

    Returns:
        The exit status: 0, or 1 if the run failed.
    """
    function, contract = arguments
    admin, share = read_binding(bindings / "admin"), read_binding(bindings / "share")
    hide = hider(admin, share)
    started = time.monotonic()

    def result(kind: str = "", message: str = "") -> Result:
        return Result(f"{function}/{contract}", not kind, round((time.monotonic() - started) * 1000), kind, message)

    sys.excepthook = _hook(hide, result)
    program = load(Path(programs or Path(__file__).parent) / PROGRAMS[function], function)
    try:
        patiently(lambda: program(admin, share), patience)
    except (KeyError, IndexError):
        raise  # a slip of the program, though both are LookupErrors
    except EXPECTED as error:
        return report(result(kind_of(error), hide(str(error))))
    return report(result())


def read_binding(folder: Path) -> Binding:
    """Read a mounted Secret: one file a key. Kubernetes' own entries begin with two dots."""
    return {file.name: file.read_text("utf-8") for file in sorted(folder.iterdir()) if not file.name.startswith("..")}


def hider(*bindings: Binding) -> Callable[[str], str]:
    """Return a function that blots secret values out of a text and makes it one line."""
    plain = {secret for b in bindings for key, value in b.items() for secret in _secrets(key, value)}
    forms = {form for secret in plain for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))}
    ordered = sorted(forms, key=len, reverse=True)

    def hide(text: str) -> str:
        for value in ordered:
            text = text.replace(value, "***")
        return " ".join(text.split())[:LONGEST]

    return hide


def _secrets(key: str, value: str) -> Iterator[str]:
    """Yield what is secret of a binding's entry: all of it, or the password inside a URI."""
    found = [value] if _SECRET_KEY.search(key) else _URI_PASSWORD.findall(value)
    yield from (secret for secret in found if len(secret) >= SHORTEST_SECRET)


def load(file: Path, function: str) -> Program:
    """Load a function of a program from its file."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python program")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program: Program = getattr(module, function)
    return program


def patiently(attempt: Callable[[], None], patience: float) -> None:
    """Make attempts until one reaches the provider, for ``patience`` seconds at most."""
    end = time.monotonic() + patience
    for pause in _pauses():
        try:
            attempt()
            return
        except ConnectionError:
            if time.monotonic() + pause > end:
                raise
            time.sleep(pause)


def _pauses() -> Iterator[float]:
    pause = 0.25
    while True:
        yield pause
        pause = min(pause * 2, 5.0)


def kind_of(error: Exception) -> str:
    """Return the class of an expected exception."""
    return next(kind for exception, kind in _CLASSES.items() if isinstance(error, exception))


def report(result: Result) -> int:
    """Print a result, its message last, and return the exit status."""
    _say(sys.stdout, result.line())
    if not result.ok:
        _say(sys.stderr, result.message)
    return 0 if result.ok else 1


def _say(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def _hook(
    hide: Callable[[str], str], result: Callable[[str, str], Result]
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Return what Python calls for an exception that nobody expected."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        for line in traceback.format_exception(kind, error, trace):
            _say(sys.stderr, hide(line))
        report(result("bug", hide(f"{kind.__name__}: {error}")))

    return hook


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
