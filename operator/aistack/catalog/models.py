"""Models of the catalog's folders, as written in component.yaml, contract.yaml and profiles/<name>.yaml."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from aistack.api.component import Size
from aistack.catalog.charts import Chart, ChartSource
from aistack.catalog.fields import Key, Name, Quantity, Repository, StrictModel, Text, Value, Variable
from aistack.catalog.references import (
    compilable,
    component_problems,
    contract_problems,
    every_size,
    refuse,
)
from aistack.objects.artifact import HOST, REPOSITORY
from aistack.objects.quantity import parse_quantity


class ContractKey(StrictModel):
    """One key of a contract's binding Secret.

    ``pattern`` is what values that users give must match as a whole. ``default`` holds where neither provider nor share
    gives a value, ``defaultWithCa`` instead of it where the binding has an authority's certificate to check against.
    """

    about: str
    secret: bool = False
    optional: bool = False
    pattern: Annotated[str, AfterValidator(compilable)] = ""
    default: str | None = None
    default_with_ca: str | None = Field(default=None, alias="defaultWithCa")


class Contract(StrictModel):
    """The seam between two tools: ``contracts/<name>/contract.yaml``.

    ``keys`` is the binding; ``derived`` adds keys made from others; ``share`` says how the keys that differ between
    consumers are made (the others are the provider's). ``env`` names the keys by the environment variables from which
    the usual clients take them. ``includes`` names contracts whose programs this one's import.
    """

    name: Name
    title: str
    about: str
    keys: Mapping[Key, ContractKey]
    derived: Mapping[Key, Text] = Field(default_factory=dict)
    share: Mapping[Key, Value] = Field(default_factory=dict)
    env: Mapping[Variable, Key] = Field(default_factory=dict)
    includes: tuple[Name, ...] = ()
    programs: Mapping[str, str] = Field(default_factory=dict, exclude=True)
    """Texts of the folder's Python files by name: ``claim.py``, ``prove.py`` and what they share."""

    @model_validator(mode="after")
    def _whole(self) -> Contract:
        refuse(contract_problems(self))
        return self


DEFAULT_REGISTRY = "registry.aistack.dev"
"""Where our images will be published; nothing is published yet, and ``spec.images.registry`` replaces it."""


class Image(StrictModel):
    """A container image; with ``containerfile`` it is built from the component's folder.

    ``registry`` is where it is published, if not with ours; ``spec.images.registry`` replaces that, too.
    """

    registry: Annotated[str, StringConstraints(pattern=rf"^{HOST}(/{REPOSITORY})?$")] = ""
    repository: Repository
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}$")]
    about: str = ""
    containerfile: str = ""
    platforms: tuple[str, ...] = ("linux/amd64",)

    def reference(self, registry: str = "") -> str:
        """Return what a pod's ``image`` says: ``<registry>/<repository>:<tag>``."""
        return f"{registry or self.registry or DEFAULT_REGISTRY}/{self.repository}:{self.tag}"


class Resources(StrictModel):
    """Requests and limits of each container of a workload; a missing limit is no limit."""

    cpu: Quantity
    memory: Quantity
    memory_limit: Quantity = Field(alias="memoryLimit")
    cpu_limit: Quantity | None = Field(default=None, alias="cpuLimit")

    @model_validator(mode="after")
    def _room(self) -> Resources:
        for name, asked, limit in (
            ("memoryLimit", self.memory, self.memory_limit),
            ("cpuLimit", self.cpu, self.cpu_limit),
        ):
            if limit is not None and parse_quantity(limit) < parse_quantity(asked):
                raise ValueError(f"{name} {limit} is less than the request of {asked}")
        return self


class Port(StrictModel):
    """A port of a workload and who may connect to it.

    ``contract``: consumers of that contract and of others that are provided here, and their claims; ``page``: anybody
    (the tool has its own login); ``metrics``: anybody; ``internal``: the component's own pods, of the workloads that it
    names. Exactly one of them.
    """

    port: int = Field(ge=1, le=65535)
    contract: Name | None = None
    page: bool = False
    metrics: bool = False
    internal: tuple[Name, ...] = ()

    @property
    def public(self) -> bool:
        """Whether anybody may connect."""
        return self.page or self.metrics

    @model_validator(mode="after")
    def _one_audience(self) -> Port:
        if sum(map(bool, (self.contract, self.page, self.metrics, self.internal))) != 1:
            raise ValueError("say who may connect: exactly one of contract, page, metrics and internal")
        return self


Destination = Literal["internet", "kubernetes", "metrics"]
"""Where a workload's pods may connect to besides DNS, the providers of their edges and ``internal`` ports.

``internet``: every address but those at which clouds hand out a node's credentials; ``kubernetes``: the API server's
ports; ``metrics``: ports of the whole stack that admit anybody, which are those of metrics and pages.
"""


class Workload(StrictModel):
    """Pods of one role: the Deployment or StatefulSet in templates/, or pods that the tool spawns itself.

    ``spawned`` pods are made by the tool (notebooks); ``footprint`` is how many of them the footprint counts.
    ``volumes`` are those that the tool makes for each: a volume of ``storage``, and the value that sets its size where
    it isn't empty. ``egress`` is where the pods may connect to; ``switches`` names the value, true or false, on which
    one of these depends.
    """

    ports: Mapping[Name, Port] = Field(default_factory=dict)
    sizes: Annotated[Mapping[Size, Resources], AfterValidator(every_size)]
    spawned: bool = False
    footprint: int = 1
    volumes: Mapping[Name, str] = Field(default_factory=dict)
    egress: tuple[Destination, ...] = ()
    switches: Mapping[Destination, str] = Field(default_factory=dict)


class Provide(StrictModel):
    """A contract that the component serves.

    ``workload`` and ``port`` say where: ``host`` (its Service) and ``port`` are filled into the binding. ``admin``
    holds the other keys of the admin binding, from which claims make shares; ``adminOf`` names instead another contract
    that is provided at this port, whose administrator makes the shares of this one too.
    """

    contract: Name
    workload: Name
    port: Name
    admin: Mapping[Key, Value] = Field(default_factory=dict)
    admin_of: Name | None = Field(default=None, alias="adminOf")


class Require(StrictModel):
    """A contract that the component needs.

    ``name`` tells two shares of one contract apart (default: the contract's name). ``workload``: the spawned role whose
    pods use it, when only they may (default: all of the component's serving pods).
    """

    contract: Name
    name: Name | None = None
    workload: Name | None = None
    optional: bool = False

    @property
    def edge(self) -> str:
        """The share's name within the component."""
        return self.name or self.contract


class SecretSpec(StrictModel):
    """A generated Secret of the component's own.

    ``each`` is a key of values that holds a list of texts: one Secret per item, named ``...-<item>``.
    """

    data: Mapping[Key, Value]
    each: str | None = None


class Login(StrictModel):
    """Where a page's login is found: a Secret of this component and its keys; exactly one of two kinds.

    ``secret`` is one of its own, that of the first item where it has ``each``; ``provided`` is the admin binding of a
    contract that it provides.
    """

    secret: Name | None = None
    provided: Name | None = None
    username: Key = "username"
    password: Key = "password"  # noqa: S105 - the name of a key

    @model_validator(mode="after")
    def _one_kind(self) -> Login:
        if (self.secret is None) == (self.provided is None):
            raise ValueError("name either a secret or a provided contract")
        return self


class Page(StrictModel):
    """A web page for people: which workload's port, and the login that opens it."""

    title: str
    workload: Name
    port: Name
    path: str = "/"
    login: Login | None = None


class MetricsLogin(StrictModel):
    """What opens metrics: keys of one of the component's own Secrets; a bearer ``token``, or both of the others."""

    secret: Name
    token: Key | None = None
    username: Key | None = None
    password: Key | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> MetricsLogin:
        basic = self.username is not None, self.password is not None
        if basic[0] != basic[1] or basic[0] == (self.token is not None):
            raise ValueError("name either the key of a token, or those of both username and password")
        return self


class Metrics(StrictModel):
    """Metrics in Prometheus' format: which workload's port, and what opens them."""

    workload: Name
    port: Name
    path: Annotated[str, StringConstraints(pattern=r"^/[-._~/a-zA-Z0-9]*$")] = "/metrics"
    login: MetricsLogin | None = None


class ComponentSpec(StrictModel):
    """``components/<name>/component.yaml``."""

    name: Name
    title: str
    about: str
    category: str
    licence: str
    home: str
    versions: tuple[str, ...] = Field(min_length=1)
    """Supported versions, the default first."""
    images: Mapping[Name, Image] = Field(default_factory=dict)
    provides: tuple[Provide, ...] = ()
    requires: tuple[Require, ...] = ()
    workloads: Mapping[Name, Workload] = Field(default_factory=dict)
    storage: Mapping[Name, Annotated[Mapping[Size, Quantity], AfterValidator(every_size)]] = Field(default_factory=dict)
    """Volumes by name; ``data`` is the one whose size ``spec.components[].storage.size`` sets."""
    secrets: Mapping[Name, SecretSpec] = Field(default_factory=dict)
    pages: tuple[Page, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    chart: Chart | None = None
    """What it is made of, besides its own templates."""

    @model_validator(mode="after")
    def _whole(self) -> ComponentSpec:
        refuse(component_problems(self))
        return self

    def administrator(self, contract: str) -> Provide:
        """Return the provided contract whose admin binding makes the shares of one: its own, or that of another."""
        by_name = {provide.contract: provide for provide in self.provides}
        return by_name[by_name[contract].admin_of or contract]


@dataclass(frozen=True)
class Component:
    """A component's folder: its description, schema, templates and files, all as data."""

    spec: ComponentSpec
    values_schema: Mapping[str, Any]
    templates: Mapping[str, str]
    """Text by file name, in name order."""
    files: Mapping[str, str]
    folder: str
    """Path relative to the catalog, for messages."""
    makes: tuple[str, ...] | None = None
    """Kinds that its templates may make, as ``Service`` or ``apps/Deployment``; None for all that templates may."""
    chart: ChartSource | None = None

    @property
    def name(self) -> str:
        """The component's name."""
        return self.spec.name

    @property
    def contracts(self) -> frozenset[str]:
        """Contracts that it has to do with."""
        ports = (port for workload in self.spec.workloads.values() for port in workload.ports.values())
        named = (
            *(provide.contract for provide in self.spec.provides),
            *(require.contract for require in self.spec.requires),
            *(port.contract for port in ports),
        )
        return frozenset(contract for contract in named if contract is not None)


class Profile(StrictModel):
    """A named canonical stack: ``profiles/<name>.yaml``."""

    name: Name
    about: str
    components: tuple[Name, ...]


RUNNER = "runner"
"""The part of a catalog that every stack has: what runs claims and proofs."""


@dataclass(frozen=True)
class Catalog:
    """All that can be installed; ``digest`` changes when, and only when, anything in it does."""

    components: Mapping[str, Component]
    contracts: Mapping[str, Contract]
    profiles: Mapping[str, Profile]
    runner: Image
    """The image in which claims and proofs run."""
    runner_programs: Mapping[str, str]
    """Texts of the programs that run a contract's own in that image, by path."""
    parts: Mapping[str, str]
    """Digest of each part: ``components/<name>``, ``contracts/<name>``, ``profiles/<name>``, and the runner's."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Names of the AIComponents that brought parts, by part; all others are the catalog's own."""
    release: str = ""
    """Name of the release that this is; empty for a folder."""
    awaited: Mapping[str, str] = field(default_factory=dict)
    """Why parts can't be used yet that an AIComponent is known to bring, by part."""

    @cached_property
    def digest(self) -> str:
        """What tells this catalog from any other."""
        return self.digest_of(self.parts)

    def digest_of(self, parts: Iterable[str]) -> str:
        """Return what tells some of its parts from those of other catalogs."""
        named = "\n".join(f"{part}={self.parts[part]}" for part in sorted(parts))
        return f"sha256:{hashlib.sha256(named.encode()).hexdigest()}"

    def parts_of(self, components: Iterable[str], profile: str | None = None) -> frozenset[str]:
        """Return all parts that a stack of these components is planned from."""
        names = [name for name in components if name in self.components]
        contracts = {contract for name in names for contract in self.components[name].contracts}
        contracts |= {i for name in contracts if name in self.contracts for i in self.contracts[name].includes}
        found = {f"components/{name}" for name in names} | {f"contracts/{name}" for name in contracts}
        return frozenset((found | {f"profiles/{profile}", RUNNER}) & self.parts.keys())
