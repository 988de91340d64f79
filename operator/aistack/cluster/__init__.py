"""The engine: brings one owner's objects to what a plan says, and takes them away again.

Promises: an unchanged owner costs no API call, also right after a restart; N new objects cost N + 2 calls. Every write
is idempotent or guarded (create-only, UID), so a pass may be killed after any call and started again. What is about to
be created is written to the inventory first, so nothing is ever lost track of. One object's error stops its unit and no
other; one kind that can't be watched degrades that kind and no other.
Never: takes over an object that it didn't make; forces a field that it didn't own before; deletes without label,
manager and UID being its own (what an owner's tools spawned has the label and UID, and another manager); waits for a
rollout inside a pass; shows a secret value; knows stacks or kopf.
"""
