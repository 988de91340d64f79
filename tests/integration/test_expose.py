"""Exposure on a real API server, with a real Ingress controller and a real Gateway (Traefik) that follow it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme

from aistack.cli.exits import ExitCode
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.planning.plan import Planned
from tests.cluster.controlplane import ControlPlane
from tests.integration import routing
from tests.integration.clilab import Cli
from tests.integration.stacklab import StackLab, said, stack_lab
from tests.toy import objects, plan, starter

pytestmark = pytest.mark.integration

SERVICES = {"mlflow": "demo-mlflow", "jupyterhub": "demo-jupyterhub-proxy", "prometheus": "demo-prometheus"}
"""The Service of each page of the starter profile and Prometheus."""


@pytest.fixture
async def apart() -> AsyncIterator[StackLab]:
    """A control plane of its own: one that gets the Gateway API never loses it again."""
    with ControlPlane() as cluster:
        async with stack_lab(cluster) as lab:
            yield lab


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    with routing.pages(*SERVICES) as ports:
        yield ports


def starter_stack(lab: StackLab) -> Planned:
    how = f"host: ml.example.com, className: {routing.CLASS}, tls: {{secretRef: {{name: wildcard}}}}"
    spec = f"{{profile: starter, components: [{{name: prometheus}}], expose: {{{how}}}}}"
    return plan(spec, catalog=starter(), namespace=lab.namespace)


async def bring(lab: StackLab, planned: Planned, ports: dict[str, int], *more: Manifest) -> None:
    """Make what leads to pages as it is planned, and behind it servers of ours."""
    made = [m for ref, m in objects(planned).items() if ref.kind in ("Service", "Ingress")]
    behind = [routing.endpoints(lab.namespace, SERVICES[name], port) for name, port in ports.items()]
    for manifest in (*more, *made, *behind):
        (await lab.client.apply(manifest, force=True)).result()


async def test_an_ingress_controller_leads_each_name_to_its_page_and_no_other(
    lab: StackLab, ports: dict[str, int], tmp_path: Path
) -> None:
    authority = trustme.CA()
    secret = routing.certificate(authority, "*.ml.example.com", lab.namespace, "wildcard")
    await bring(lab, starter_stack(lab), ports, routing.ingress_class(), secret)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with routing.traefik(lab.cluster, tmp_path, "kubernetesingress") as controller:
        for name in SERVICES:
            host = f"{name}.ml.example.com"
            await answered(controller, host, f"{name} at {host}")
            assert await asyncio.to_thread(controller.ask_encrypted, host, trust) == (200, f"{name} at {host}")
        for host in ("postgres.ml.example.com", "ml.example.com", "mlflow.example.com"):
            assert (await asyncio.to_thread(controller.ask, host))[0] == 404


async def answered(controller: routing.Controller, host: str, text: str) -> None:
    """Wait until a host leads where it should: the controller learns of objects one by one."""

    async def holds() -> bool:
        return await asyncio.to_thread(controller.ask, host) == (200, text)

    await routing.until(holds)


GATEWAY = "{profile: toy, expose: {host: ml.example.com, gatewayRef: {name: company}, tls: {}}}"


async def test_a_stack_tells_what_its_routes_wait_for_until_a_gateway_takes_them(
    apart: StackLab, ports: dict[str, int], tmp_path: Path
) -> None:
    cli = Cli(apart, tmp_path)
    foreseen = await cli.plan(cli.file(GATEWAY))
    assert "the cluster has no kind HTTPRoute" in foreseen.out + foreseen.err
    assert "create   Deployment" in foreseen.out
    await apart.create(GATEWAY)
    async with apart.operator() as operator:
        live = await apart.settle(operator, "the cluster has no kind HTTPRoute")
        assert "install the Gateway API's definitions" in live["status"]["message"]
        assert said(live) == ("False", "False", "Waiting")
        assert await apart.get("Deployment", "demo-web"), "the page is there for 'aistack open --local'"

        await routing.install_gateway_api(apart.client)
        await apart.settle(operator, "HTTPRoute demo-web: no Gateway has taken it")

        with routing.traefik(apart.cluster, tmp_path, "kubernetesgateway") as controller:
            gateway = routing.gateway(apart.namespace, controller.http)
            behind = routing.endpoints(apart.namespace, "demo-web-front", ports["mlflow"])
            for manifest in (routing.gateway_class(), gateway, behind):
                (await apart.client.apply(manifest, force=True)).result()
            live = await apart.converge(operator)
            assert address(live) == "https://web.ml.example.com/home"
            await answered(controller, "web.ml.example.com", "mlflow at web.ml.example.com")
            assert (await asyncio.to_thread(controller.ask, "db.ml.example.com"))[0] == 404
        await apart.delete()
        await apart.vanish(operator)
        assert (await apart.client.list(routing.HTTP_ROUTE)).result()["items"] == []


async def test_a_page_is_exposed_and_hidden_again(lab: StackLab, tmp_path: Path) -> None:
    cli, ingress = Cli(lab, tmp_path), ObjectRef("networking.k8s.io/v1", "Ingress", lab.namespace, "demo-web")
    await lab.create("{profile: toy, expose: {host: ml.example.com, className: nginx, tls: {issuer: company}}}")
    async with lab.operator() as operator:
        live = await lab.converge(operator)
        assert address(live) == "https://web.ml.example.com/home"
        made = (await lab.client.get(ingress)).result()
        assert made["spec"]["tls"] == [{"hosts": ["web.ml.example.com"], "secretName": "demo-web-tls"}]
        opened = await cli("open", "web")
        assert (opened.code, opened.err) == (ExitCode.OK, "")
        assert "URL       https://web.ml.example.com/home\n" in opened.out
        assert "forward" not in (await cli("open", "web", "--print")).out
        local = (await cli("open", "web", "--print", "--local")).out
        assert "URL       http://127.0.0.1:8080/home\n" in local
        assert f"forward   kubectl -n {lab.namespace} port-forward service/demo-web-front 8080:8080" in local
        assert (
            "port-forward service/demo-web-front 9000:8080"
            in (await cli("open", "web", "--print", "--port", "9000")).out
        )
        await lab.change("{profile: toy}")
        await lab.until(operator, lambda live: address(live).startswith("http://demo-web-front"))

        async def pruned() -> bool:
            await lab.reconcile(operator)
            return (await lab.client.get(ingress)).status == 404

        await routing.until(pruned)


async def test_a_settled_stack_that_is_exposed_writes_nothing(lab: StackLab) -> None:
    await lab.create("{profile: toy, expose: {host: ml.example.com, className: nginx, tls: {}}}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await lab.reconcile(operator)
        live = await lab.live()
        lab.calls.clear()
        await operator.reconcile(live)
        assert dict(lab.calls) == {}


def address(live: Manifest) -> str:
    """What status says of the page's address."""
    return next(str(c["url"]) for c in live["status"]["components"] if c["name"] == "web")
