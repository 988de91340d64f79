"""The hand of the missing kubelet, for an operator that runs as a process: pods run, and Jobs do their work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from aistack.cluster.client import Client
from aistack.errors import ClusterError
from tests.cluster.controlplane import ControlPlane
from tests.integration.stacklab import StackLab

PAUSE = 0.2


class Kubelet:
    """Plays for some namespaces, in a thread of its own; while ``away`` is set, nothing starts."""

    def __init__(self, plane: ControlPlane, namespaces: Sequence[str]) -> None:
        self.away = threading.Event()
        self._plane, self._namespaces = plane, namespaces
        self._over = threading.Event()

    @contextmanager
    def playing(self) -> Iterator[Kubelet]:
        """Play until the block ends."""
        thread = threading.Thread(target=lambda: asyncio.run(self._play()))
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    async def _play(self) -> None:
        async with await Client.connect("kubelet", str(self._plane.kubeconfig)) as client:
            labs = [StackLab(self._plane, client, namespace) for namespace in self._namespaces]
            while not self._over.is_set():
                for lab in labs if not self.away.is_set() else ():
                    with suppress(ClusterError):  # a pod may go between two requests
                        await lab.play()
                await asyncio.sleep(PAUSE)
