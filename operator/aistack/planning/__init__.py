"""Planning: from a stack, the catalog and what was observed to a plan, and from an outcome to a status.

``resolve`` (which components, with which settings) -> ``wire`` (who gets what from whom) -> ``render`` (templates to
objects) -> ``harden`` -> ``order`` -> :class:`~aistack.objects.plan.Plan`; later ``summarize``.

Promises: pure and deterministic byte for byte; every refusal is a :class:`~aistack.errors.SpecError` that names the
field; a plan holds no secret value.
Never: does I/O, reads the clock, the environment or the network, imports the catalog's loader.
"""
