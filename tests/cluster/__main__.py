"""`python -m tests.cluster`: see `tests.cluster.cli`."""

import sys

from tests.cluster.cli import main

if __name__ == "__main__":
    sys.exit(main())
