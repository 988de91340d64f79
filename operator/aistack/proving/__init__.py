"""The runner inside Jobs: it runs a contract's program (a claim) in the stack's namespace.

Promises: :mod:`~aistack.proving.runner` is one file of the standard library, mounted beside the program; it says in one
JSON line what came of it and how long it took, and ends with a message free of secrets.
Never: imports anything else of ours, runs in the operator, or talks to the Kubernetes API.
"""
