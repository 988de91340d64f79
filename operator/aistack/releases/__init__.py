"""Releases: whole catalogs as artifacts, and as what an operator keeps so that stacks stay with the one that they run.

Promises: a release holds all that a stack is planned from, also the programs that run claims and proofs; a stack stays
with its release until its spec says otherwise, whatever operator serves it.
Never: changes a stack's spec, asks a registry while a stack is planned.
"""
