"""Compiling Kubernetes, etcd, CoreDNS, kind and the CNI plugins from one Go module.

Promises: what is built is what toolchain/go.sum pins (`-mod=readonly`); the same module is compiled once per machine.
"""
