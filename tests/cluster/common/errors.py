"""The one exception of the test cluster."""


class ClusterError(Exception):
    """Something the user has to know: the message is one line that says what is wrong and what to do."""
