"""The catalog: what components, contracts and profiles there are, as loaded and checked from folders.

Promises: :mod:`~aistack.catalog.loader` is the only reader of ``manifests/``; adding a component is adding a folder.
A loaded :class:`~aistack.catalog.models.Catalog` is plain data, so planning needs no file system.
Never: talks to a cluster, renders templates, imports code from a catalog (claims and proofs are carried as text).
"""
