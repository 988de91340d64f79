"""Speed and size, printed as a table; nothing here passes or fails. `make bench` runs it."""
