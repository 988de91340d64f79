"""A real Kubernetes for the tests and the demo, on a machine that may have no image registry.

Two levels: `control-plane` (etcd, kube-apiserver and kube-controller-manager on loopback, ready in seconds) and `kind`
(nodes, pods, Services, DNS and volumes). Everything is compiled from Go modules or taken from Debian packages, cached
under the user's cache directory by a hash of what it is made of, and reused.

Promises: an interrupted build is never taken for a finished one; `up` twice is the same as `up` once; `down` ends only
what `up` started. Never touches `~/.kube/config`, a Docker daemon's other containers, or the host's own network.
"""
