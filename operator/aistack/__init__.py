"""AIStack: one object in, a running and wired set of open source AI tools out, on any Kubernetes.

Layers, enforced by import-linter (a layer sees only those before it):
``errors`` <- ``objects`` <- ``api`` <- ``catalog`` <- ``planning``; ``objects`` <- ``cluster``; ``pipeline`` joins
them; ``controller`` and ``cli`` see ``pipeline`` and never each other.
"""
