"""Doctor: what will go wrong with a stack on a cluster, found before it does; each finding says what to do.

Promises: reads only, and judges by what it read; what the user may not read is told as unknown. Never says that
something works that it can't know, e.g. whether nodes reach a registry.
"""
