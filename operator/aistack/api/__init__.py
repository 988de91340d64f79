"""The AIStack API: pydantic models of our kinds, names, labels, conditions and reasons, and the CRDs made from them.

Promises: the models are the only source; ``crds/`` is generated from them by ``make generate``. One function builds
object names (:mod:`~aistack.api.names`), one builds labels (:mod:`~aistack.api.labels`).
Never: talks to a cluster, reads files.
"""
