"""The operator's process: kopf for start-up, probes and the watch on AIStacks; our own queue for everything else.

Promises: handlers only put a key into the queue; every reason for work ends in the one
:meth:`~aistack.pipeline.Pipeline.reconcile`; the process may be killed at any moment.
Never: decides anything about a stack, keeps state that matters outside the cluster.
The only importer of kopf.
"""
