"""One module for each command (or group); each has a typer ``app`` and is imported only when it is called."""
