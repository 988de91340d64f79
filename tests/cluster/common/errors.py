"""The exceptions of the test cluster."""


class ClusterError(Exception):
    """Something the user has to know: the message is one line that says what is wrong and what to do."""


class CommandError(ClusterError):
    """A command failed.

    Attributes:
        output: all that it printed; the message has its last lines.
    """

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output
