"""AIComponents on a real API server: used without a restart, refused whole, and never in the way of others' stacks.

The operator is a process with the rights of its generated roles. Its registry is one inside the test where it has to
lie, and distribution's where it is asked for a login.
"""
