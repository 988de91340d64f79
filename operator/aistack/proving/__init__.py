"""The programs inside Jobs: they run a contract's claims and proofs in the stack's namespace.

Promises: a few files of the standard library, mounted beside the contract's own; each run says in one JSON line a step
what came of it and how long it took, and ends with a message free of secrets.
Never: imports anything else of ours, runs in the operator, or talks to the Kubernetes API.
"""
