"""Kinds of text and maps that users write: names, sizes, labels, each with its limits and rule."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from aistack.api.group import GROUP
from aistack.api.names import MAX_CATALOG_NAME, MAX_STACK_NAME
from aistack.api.rules import keys_avoid, keys_match, matches

DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_DNS_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_DATA_NAME = "([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)"
QUALIFIED_NAME = f"({_DNS_1123}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
_HOST = f"(({_LABEL}([.]{_LABEL})+|localhost)(:[0-9]{{1,5}})?|{_LABEL}:[0-9]{{1,5}})"
"""A host of a registry: without dot and port, a runtime takes it for a path on docker.io."""
_REGISTRY = f"{_HOST}(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
"""Annotations under it choose a container's AppArmor profile, which hardening leaves to the runtime."""
_VOLUME_SIZE = "[1-9][0-9]{0,5}([.][0-9]{1,2})?(Mi|Gi|Ti|M|G|T)"

CatalogName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_CATALOG_NAME),
    matches(
        DNS_1035,
        "is no name of the catalog",
        "write lower-case letters, digits and '-', starting with a letter, e.g. mlflow",
    ),
]
StackName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_STACK_NAME),
    matches(
        DNS_1035,
        "is no name of a stack",
        "write lower-case letters, digits and '-', starting with a letter, e.g. demo",
    ),
]
ObjectName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253),
    matches(
        _DNS_1123, "is no name of an object", "write lower-case letters, digits, '-' and '.', e.g. registry-credentials"
    ),
]
ServiceAccountName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253),
    matches(
        _DNS_1123,
        "is no name of a ServiceAccount in this namespace",
        "write its name alone: lower-case letters, digits, '-' and '.', e.g. team-a",
    ),
]
ComponentVersion = Annotated[
    str,
    StringConstraints(min_length=1, max_length=32),
    matches(_DATA_NAME, "is no version", "write one that 'aistack catalog show' lists, in quotes, e.g. '17'"),
]
ReleaseName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=63),
    matches(
        "[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
        "is no name of a release",
        "write one that 'aistack release list' shows, e.g. '0.1.0', or latest",
    ),
]
VolumeSize = Annotated[
    str,
    StringConstraints(max_length=16),
    matches(_VOLUME_SIZE, "is no size of a volume", "write a number and a unit (Mi, Gi, Ti, M, G or T), e.g. 20Gi"),
]
Registry = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    matches(
        _REGISTRY,
        "is no registry",
        "write host[:port][/path] without scheme and trailing slash, the host with a dot or a port, e.g. "
        "registry.example.com/ai",
    ),
]
LabelValue = Annotated[
    str,
    StringConstraints(max_length=63),
    matches(
        f"{_DATA_NAME}?", "is no value of a label", "write letters, digits, '-', '_' and '.', at most 63, e.g. team-a"
    ),
]
_named = keys_match(
    QUALIFIED_NAME, "holds a key that Kubernetes doesn't allow", "write keys as [prefix/]name, e.g. example.com/team"
)
_not_ours = keys_avoid(
    (f"{GROUP}/", "app.kubernetes.io/"),
    f"holds a key under {GROUP}/ or app.kubernetes.io/, which AIStack sets itself",
    "use a prefix of your own, e.g. example.com/team",
)
_not_security = keys_avoid(
    (APPARMOR,), f"holds a key under {APPARMOR}, which would loosen how containers are confined", "leave it out"
)
NodeSelector = Annotated[dict[str, LabelValue], Field(max_length=16), _named]
Labels = Annotated[dict[str, LabelValue], Field(max_length=16), _named, _not_ours]
Annotations = Annotated[
    dict[str, Annotated[str, StringConstraints(max_length=4096)]],
    Field(max_length=16),
    _named,
    _not_ours,
    _not_security,
]
