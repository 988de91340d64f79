"""Flux as a platform team runs it: its own controllers, beside a cluster, over Git repositories on loopback."""
