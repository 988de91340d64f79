"""Conformance: whether a component does what its folder promises, tried on a cluster, step by step.

The same for our components and everybody else's. It makes a namespace of its own and takes it away again; it never
touches a stack that it didn't make.
"""
