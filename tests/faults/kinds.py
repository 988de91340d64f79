"""Every fault, as a row: what it does to one call, to which calls it can be done, and what must heal it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.calls import Call


class Act(StrEnum):
    """What the proxy does at the call."""

    KILL = "kill"
    """SIGKILL to the operator, no answer."""
    RESET = "reset"
    """The connection ends without an answer."""
    CUT = "cut"
    """Half of the answer, then the connection ends."""
    ANSWER = "answer"
    """Another answer than the server's."""
    SLOW = "slow"
    """The answer comes late."""
    HANG = "hang"
    """No answer ever comes."""
    EVENT = "event"
    """The watch gets an event that says what is wrong, after the first real one or at once, and ends."""
    END = "end"
    """The watch ends as soon as it began."""
    MUTE = "mute"
    """The watch stays open and tells nothing any more."""
    LAG = "lag"
    """The watch tells everything late."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Args:
        name: for reports.
        act: what is done.
        on: tells to which calls.
        done: whether the request reaches the server first, and takes effect.
        status: of the false answer.
        body: of the false answer, or the false event.
        headers: of the false answer.
        seconds: how long it takes.
        touch: whether a user has to touch the stack after that: the answer says that only a change can help.
        options: of the operator's process, by name.
    """

    name: str
    act: Act
    on: Callable[[Call], bool]
    done: bool = False
    status: int = 0
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    touch: bool = False
    options: frozenset[str] = field(default_factory=frozenset)

    def __str__(self) -> str:
        return self.name


def _status(code: int, reason: str, message: str, **details: object) -> str:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return json.dumps({**status, "message": message, "reason": reason, "code": code, **details})


def _error(code: int, reason: str, message: str) -> str:
    return json.dumps({"type": "ERROR", "object": json.loads(_status(code, reason, message))})


def _any(_: Call) -> bool:
    return True


def _unary(call: Call) -> bool:
    return not call.streams


def _list(call: Call) -> bool:
    return call.verb == "list"


def _object(call: Call) -> bool:
    """Writes of what stacks are made of, which admission may refuse; statuses and finalizers pass."""
    return call.writes and call.verb != "delete" and "aistack" not in call.resource and "aibinding" not in call.resource


def _apply(call: Call) -> bool:
    return call.verb == "apply"


def _create(call: Call) -> bool:
    return call.verb == "create" and call.resource != "events"


def _stream(call: Call) -> bool:
    return call.streams


_INVALID = _status(
    422,
    "Invalid",
    'Object "x" is invalid: spec.field: Invalid value: "y": field is immutable',
    details={"causes": [{"reason": "FieldValueInvalid", "message": "field is immutable", "field": "spec.field"}]},
)
_GONE = _status(410, "Expired", "The provided continue parameter is too old to display a consistent list result.")
_SOON = (("Retry-After", "1"),)
_REFUSED = _status(403, "Forbidden", 'things is forbidden: User "u" cannot create resource "things" in API group ""')
_DENIED = _status(403, "Forbidden", 'admission webhook "policy.example.com" denied the request: not today')
_NO_WEBHOOK = _status(
    500, "InternalError", 'Internal error occurred: failed calling webhook "policy.example.com": deadline exceeded'
)
_QUOTA = _status(403, "Forbidden", 'things "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1')
_CONFLICT = _status(409, "Conflict", "Operation cannot be fulfilled: the object has been modified")
_LATER = _status(429, "TooManyRequests", "too many requests, please try again later")
_AWAY = _status(503, "ServiceUnavailable", "apiserver is shutting down")

UNARY: tuple[Fault, ...] = (
    Fault("reset", Act.RESET, _unary),
    Fault("reset after", Act.RESET, _unary, done=True),
    Fault("cut", Act.CUT, _unary, done=True),
    Fault("429", Act.ANSWER, _any, status=429, body=_LATER, headers=_SOON),
    Fault("500", Act.ANSWER, _any, status=500, body=_status(500, "InternalError", "etcdserver: no leader")),
    Fault("503", Act.ANSWER, _any, status=503, body=_AWAY, headers=_SOON),
    Fault("504 after", Act.ANSWER, _unary, True, 504, _status(504, "Timeout", "request timed out")),
    Fault("502 of a proxy", Act.ANSWER, _unary, status=502, body="<html>Bad Gateway</html>"),
    Fault("403 right revoked", Act.ANSWER, _any, status=403, body=_REFUSED),
    Fault("401", Act.ANSWER, _any, status=401, body=_status(401, "Unauthorized", "Unauthorized")),
    Fault("slow", Act.SLOW, _unary, seconds=1.5),
    Fault("hang", Act.HANG, _unary, options=frozenset({"hurried"})),
    Fault("hang after", Act.HANG, _unary, done=True, options=frozenset({"hurried"})),
    Fault("410 on a list", Act.ANSWER, _list, status=410, body=_GONE),
    Fault("404 of a proxy", Act.ANSWER, _list, status=404, body="404 page not found"),
    Fault("409", Act.ANSWER, lambda call: call.writes, status=409, body=_CONFLICT),
    Fault("webhook denies", Act.ANSWER, _object, status=403, body=_DENIED),
    Fault("webhook is away", Act.ANSWER, _object, status=500, body=_NO_WEBHOOK),
    Fault("quota", Act.ANSWER, _create, status=403, body=_QUOTA),
    Fault("422", Act.ANSWER, _apply, status=422, body=_INVALID, touch=True),
)
KILLS: tuple[Fault, ...] = (
    Fault("kill", Act.KILL, _any),
    Fault("kill after", Act.KILL, _any, done=True),
)
WATCH: tuple[Fault, ...] = (
    Fault("reset of a watch", Act.RESET, _stream),
    Fault("410 on a watch", Act.ANSWER, _stream, status=410, body=_status(410, "Expired", "too old resource version")),
    Fault("404 on a watch", Act.ANSWER, _stream, status=404, body="404 page not found"),
    Fault("error event 410", Act.EVENT, _stream, body=_error(410, "Expired", "too old resource version: 1 (2)")),
    Fault("error event 500", Act.EVENT, _stream, body=_error(500, "InternalError", "etcd event received with error")),
    Fault("error event 429", Act.EVENT, _stream, body=_error(429, "TooManyRequests", "storage is initializing")),
    Fault("garbled event", Act.EVENT, _stream, body='{"type": "MODIFIED", "obj'),
    Fault("watch ends", Act.END, _stream),
    Fault("watch is mute", Act.MUTE, _stream, options=frozenset({"watchful"})),
    Fault("watch lags", Act.LAG, _stream, seconds=2.0),
)
FAULTS: tuple[Fault, ...] = (*KILLS, *UNARY, *WATCH)


def faults_at(call: Call) -> Iterable[Fault]:
    """Return the faults that can happen to a call."""
    return (fault for fault in FAULTS if fault.on(call))


def by_name(name: str) -> Fault:
    """Return a fault."""
    return next(fault for fault in FAULTS if fault.name == name)
