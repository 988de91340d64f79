"""Author's tools: folders of components are begun, checked, and compared with what was written down of their renders.

Promises: a catalog and somebody's own folder are checked by the same code, and all that is wrong is told at once, by
file and line; a folder that was begun here passes these checks.
Never: talks to a cluster, overwrites what an author wrote.
"""
