"""What the operator asks of the API server, as the proxy sees it: one request, and its place among those like it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

WRITES = frozenset({"create", "apply", "patch", "update", "delete"})
STREAMS = frozenset({"watch"})
HASHES = re.compile(r"\b[0-9a-f]{8,64}\b")
"""Hashes in names. The namespace is part of what they are made of, and each run has its own: so they differ from run to
run, and what is compared is how many objects there are that differ by them alone."""
_PATCHES = {"application/apply-patch+yaml": "apply", "application/merge-patch+json": "patch"}
_METHODS = {"GET": "get", "POST": "create", "PUT": "update", "DELETE": "delete"}


@dataclass(frozen=True, order=True)
class Call:
    """One request: what tells it from others in every run of a scenario."""

    verb: str
    """As in RBAC rules; but ``apply`` for server-side apply, ``discover`` for what isn't about an object, and ``peek``
    for a list of one that asks how far the history goes."""
    resource: str
    """Plural, with its subresource after a slash."""
    name: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.verb in WRITES

    @property
    def streams(self) -> bool:
        """Whether its answer goes on for ever."""
        return self.verb in STREAMS

    @property
    def beats(self) -> bool:
        """Whether it comes by the clock, or with each watch that broke, whatever else there is to do."""
        return self.resource == "leases" or self.verb == "peek"

    def __str__(self) -> str:
        return " ".join(filter(None, (self.verb, self.resource, self.name)))


@dataclass(frozen=True, order=True)
class Point:
    """The n-th request of its kind since the counter was last cleared."""

    call: Call
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.call}#{self.nth}" if self.nth > 1 else str(self.call)


def parse(
    method: str, path: str, query: Mapping[str, str], content_type: str, namespace: str, body_name: str = ""
) -> Call:
    """Read a request.

    Args:
        method: of HTTP.
        path: its path.
        query: its query.
        content_type: of its body.
        namespace: the test's namespace; taken out of names, so that runs can be compared.
        body_name: name of the object in the body, for a creation.
    """
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if parts[0] not in ("api", "apis") or not rest:
        return Call("discover", path)
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    resource, name, sub = [*rest, "", ""][:3]
    verb = _PATCHES.get(content_type, "patch") if method == "PATCH" else _METHODS.get(method, method.lower())
    if verb == "get" and not name:
        verb = "watch" if query.get("watch") in ("true", "1") else "peek" if query.get("limit") == "1" else "list"
    name = name or body_name
    if resource == "events":
        name = ""  # the time is in it
    return Call(verb, "/".join(filter(None, (resource, sub))), HASHES.sub("HASH", name.replace(namespace, "NAMESPACE")))


class Counting:
    """Tells the place of each call among those like it."""

    def __init__(self) -> None:
        self._seen: Counter[Call] = Counter()

    def clear(self) -> None:
        """Start anew."""
        self._seen.clear()

    def place(self, call: Call) -> Point:
        """Count a call."""
        self._seen[call] += 1
        return Point(call, self._seen[call])
