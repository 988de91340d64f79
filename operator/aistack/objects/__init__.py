"""Kubernetes objects as plain data: references, hashes, health, differences, secret recipes and plans.

Promises: pure functions and frozen types, no I/O, no clock, no knowledge of stacks or components' meaning.
Never: holds a secret value; a :class:`~aistack.objects.plan.Plan` carries recipes, resolved only when it is applied.
"""
