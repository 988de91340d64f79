"""The starter stack's providers, each a real server on loopback, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts import jupyterhub as hub
from tests.contracts import memory as store_in_memory
from tests.contracts import mlflow as tracking
from tests.contracts import seaweedfs as store
from tests.contracts import servers
from tests.contracts.shipped import Provider, Shipped


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The starter stack, planned."""
    contracts = ("postgres", "s3", "mlflow", "notebooks", "redis", "metrics")
    return Shipped(tmp_path_factory.mktemp("shipped"), ports={name: servers.free_port() for name in contracts})


@pytest.fixture(scope="session")
def postgres(shipped: Shipped) -> Iterator[Provider]:
    """PostgreSQL with pgvector."""
    provider = Provider(shipped, "postgres", "postgres")
    with servers.postgres(provider.admin["password"], int(provider.admin["port"])):
        yield provider


@pytest.fixture(scope="session")
def s3(shipped: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """SeaweedFS with the arguments that ship."""
    with store.seaweedfs(shipped, tmp_path_factory.mktemp("seaweedfs")):
        yield Provider(shipped, "s3", "seaweedfs")


@pytest.fixture(scope="session")
def mlflow(
    shipped: Shipped, postgres: Provider, s3: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """MLflow with the environment that ships, over its own shares."""
    postgres.claim(postgres.share("mlflow"))
    s3.claim(s3.share("mlflow"))
    with tracking.mlflow(shipped, tmp_path_factory.mktemp("mlflow")):
        yield Provider(shipped, "mlflow", "mlflow")


@pytest.fixture(scope="session")
def notebooks(shipped: Shipped, postgres: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """JupyterHub with the configuration that ships, but for its proxy and its spawner."""
    postgres.claim(postgres.share("jupyterhub"))
    with hub.jupyterhub(shipped, tmp_path_factory.mktemp("jupyterhub")):
        yield Provider(shipped, "notebooks", "jupyterhub")


@pytest.fixture(scope="session", params=store_in_memory.INSTALLED)
def memory(
    request: pytest.FixtureRequest, shipped: Shipped, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """Each provider of redis with the arguments that ship."""
    name, folder = str(request.param), tmp_path_factory.mktemp(request.param)
    alone = Shipped(folder, ports={**shipped.ports, "redis": servers.free_port()}, components=({"name": name},))
    with store_in_memory.server(name, alone, folder):
        yield Provider(alone, "redis", name)
