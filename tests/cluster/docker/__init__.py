"""A Docker daemon for kind: the machine's own where it can pull kind's images, else a private one.

The private daemon lives in a network namespace of its own, with its own data, containerd and socket: nothing of it
touches the host's network or another daemon. Promises: `stop` ends only this daemon's processes.
"""
