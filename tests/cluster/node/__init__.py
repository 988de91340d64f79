"""The kind node: its root file system and the images it needs, made from Debian packages and compiled programs.

Promises: the same inputs give the same contents, but for Debian's own updates; no image registry is asked.
"""
