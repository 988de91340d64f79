"""What both levels stand on: paths, the artefact store, progress, processes and system packages.

Promises: no module here knows what Kubernetes or Docker is. Never ends a process that it did not start.
"""
