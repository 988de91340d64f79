"""Shapes: what planning reads of a rendered object is what it takes it for; the rest is the API server's to judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from aistack.objects.manifest import Manifest
from aistack.objects.quantity import parse_quantity
from aistack.planning.pods import pod_template

Map = dict[str, Any]
Texts = dict[str, str]
Quantity = Annotated[str | int | float, AfterValidator(parse_quantity)]


class _Part(BaseModel):
    """Only looked at, never used: what may be left out has no default that anybody sees."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class _Named(_Part):
    name: Annotated[str, Field(min_length=1)]


class _ConfigMapSource(_Part):
    config_map: Map | None = None


class _Projected(_Part):
    sources: list[_ConfigMapSource] | None = None


class _Volume(_Named, _ConfigMapSource):
    projected: _Projected | None = None


class _EnvFrom(_Part):
    config_map_ref: _Named | None = None


class _ValueFrom(_Part):
    config_map_key_ref: _Named | None = None


class _Env(_Named):
    value_from: _ValueFrom | None = None


class _Requests(_Part):
    cpu: Quantity | None = None
    memory: Quantity | None = None


class _Resources(_Part):
    requests: _Requests | None = None


class _Handler(_Part):
    http_get: Map | None = None


class _Lifecycle(_Part):
    post_start: _Handler | None = None
    pre_stop: _Handler | None = None


class _Container(_Named):
    image: str | None = None
    ports: list[Map] | None = None
    env: list[_Env] | None = None
    env_from: list[_EnvFrom] | None = None
    resources: _Resources | None = None
    security_context: Map | None = None
    startup_probe: _Handler | None = None
    liveness_probe: _Handler | None = None
    readiness_probe: _Handler | None = None
    lifecycle: _Lifecycle | None = None


class _PodSpec(_Part):
    containers: list[_Container]
    init_containers: list[_Container] | None = None
    volumes: list[_Volume] | None = None
    security_context: Map | None = None


class _Labelled(_Part):
    labels: Texts | None = None
    annotations: Texts | None = None


class _Template(_Part):
    metadata: _Labelled | None = None
    spec: _PodSpec


class _WorkloadSpec(_Part):
    template: _Template
    replicas: Annotated[int, Field(ge=0)] | None = None


class _ObjectMetadata(_Named, _Labelled):
    pass


class _Object(_Part):
    metadata: _ObjectMetadata


class _Workload(_Object):
    spec: _WorkloadSpec


class _JobTemplate(_Part):
    spec: _WorkloadSpec


class _CronJobSpec(_Part):
    job_template: _JobTemplate


class _CronJob(_Object):
    spec: _CronJobSpec


class _VolumeRequests(_Part):
    storage: Quantity


class _VolumeResources(_Part):
    requests: _VolumeRequests


class _ClaimSpec(_Part):
    resources: _VolumeResources


class _VolumeClaim(_Object):
    spec: _ClaimSpec


class _ServicePort(_Part):
    port: int


class _ServiceSpec(_Part):
    ports: list[_ServicePort] | None = None


class _Service(_Object):
    spec: _ServiceSpec | None = None


_KINDS: Mapping[str, type[_Object]] = {
    "Deployment": _Workload,
    "StatefulSet": _Workload,
    "DaemonSet": _Workload,
    "CronJob": _CronJob,
    "PersistentVolumeClaim": _VolumeClaim,
    "Service": _Service,
}


def misshapen(manifest: Manifest) -> str:
    """Say what is wrong with a rendered object that has no nulls; empty if planning can read it."""
    problem = _problem(_KINDS.get(manifest["kind"], _Object), manifest)
    if problem or (template := pod_template(manifest)) is None:
        return problem
    return _problem(_Template, template)  # kinds that we don't know may start pods as well


def _problem(model: type[_Part], data: Manifest) -> str:
    try:
        model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ").partition(" or instance of")[0]
        return f"{where}: {said}"
    return ""
