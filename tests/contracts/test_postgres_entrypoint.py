"""The program that starts PostgreSQL in its image, with the version that can be installed here: 18, not 17."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.contracts import servers

ENTRYPOINT = servers.ROOT / "manifests" / "components" / "postgres" / "image" / "entrypoint.sh"
PASSWORD = "that-of-the-secret"


class Cluster:
    """A data folder that exists already, and the password of a new Secret."""

    def __init__(self, folder: Path, installed: Path, user: int | None) -> None:
        self.folder, self.installed, self.user, self.port = folder, installed, user, servers.free_port()
        self.data = servers.make_cluster(folder, installed, user)
        (folder / "password").write_text(PASSWORD, "utf-8")

    def command(self) -> list[str]:
        """Return the entrypoint's command, for the version and the places of here."""
        program = self.folder / "entrypoint.sh"
        text = ENTRYPOINT.read_text("utf-8").replace("17", "18").replace("/tmp/", f"{self.folder}/")
        program.write_text(text, "utf-8")
        changes = {
            "hba_file": self.data / "pg_hba.conf",
            "unix_socket_directories": self.folder,
            "listen_addresses": "127.0.0.1",
            "port": self.port,
        }
        return ["sh", str(program), *(part for name, value in changes.items() for part in ("-c", f"{name}={value}"))]

    def environment(self) -> dict[str, str]:
        """Return the image's environment."""
        return {
            "PATH": f"{self.installed}:/usr/bin:/bin",
            "PGDATA": str(self.data),
            "POSTGRES_PASSWORD_FILE": str(self.folder / "password"),
        }

    def opens(self) -> bool:
        """Tell whether the Secret's password opens the server."""
        place = {"host": "127.0.0.1", "port": self.port, "dbname": "postgres", "user": "postgres"}
        try:
            psycopg.connect(**place, password=PASSWORD).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Made, not running."""
    with servers.postgres_files("an-older-one") as (folder, installed, user):
        yield Cluster(folder, installed, user)


def test_it_starts_on_a_volume_that_was_opened_to_its_group(cluster: Cluster) -> None:
    """As the kubelet does with ``fsGroup`` where the volume's root isn't the group's yet."""
    subprocess.run(["chmod", "--recursive", "g+rwX", str(cluster.data)], check=True)
    command, environment = cluster.command(), cluster.environment()
    with servers.server(command, cluster.folder, cluster.opens, environment, user=cluster.user):
        assert cluster.data.stat().st_mode & 0o777 == 0o700
