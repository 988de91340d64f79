"""A trial in one command: a cluster, the images on it, the operator, a stack that is proven; and away again.

Promises: each step looks first and does only what is missing, so a trial that was cut off goes on where it stopped.
Never: touches a cluster that wasn't asked for, takes over an operator or definitions that somebody else installed,
deletes a cluster or data that it didn't say.
"""
