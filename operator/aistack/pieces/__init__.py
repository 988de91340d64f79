"""Pieces: AIComponents fetched, checked and put into the catalog that stacks are planned from, while the operator runs.

Promises: what a piece holds is parsed and rendered for the first time in a process of its own, with bounds of time and
memory; a piece counts whole or not at all; one that is refused leaves the former one, and everybody else's stacks, as
they are.
Never: runs a program of a piece (claims and proofs are text until a Job runs them), grants the operator a right.
"""
