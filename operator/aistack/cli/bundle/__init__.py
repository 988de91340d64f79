"""The debug bundle: what it takes to find out what is wrong with a stack, without anything that is secret.

Promises: every text goes through one :class:`~aistack.cli.bundle.scrub.Scrubber` on its way into the archive; what
can't be read is named; everything has a limit.
Never: a Secret's value, in any form that we know of.
"""
