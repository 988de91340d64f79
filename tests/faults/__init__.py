"""The fault suite: the real operator behind a recording proxy before a real API server, one fault at a time.

``make faults`` runs the whole matrix (:mod:`tests.faults.__main__`), ``make test`` a slice of it: see decision 24.
"""
