"""Shows the metrics that MLflow's workers leave in a folder, at a port of their own: MLflow's page wants a login."""

import os
import signal
import socket
import sys

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
registry = CollectorRegistry()
MultiProcessCollector(registry, os.environ["METRICS_FOLDER"])
everywhere = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - whoever collects comes from other pods
start_http_server(int(os.environ["METRICS_PORT"]), everywhere, registry=registry)
while True:
    signal.pause()
