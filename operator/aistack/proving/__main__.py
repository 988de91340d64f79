"""``python -m aistack.proving``: what a Job's container runs.

=============================  =====================================================================
``claim CONTRACT``             makes the provider accept the consumer's share
``revoke CONTRACT``            ends the share
``retire CONTRACT``            ends the share's former generations
``prove EDGE=CONTRACT ...``    proves edges, one after the other, each in a process of its own
``prove-one EDGE=CONTRACT``    proves one edge
=============================  =====================================================================
"""

import signal
import sys

from aistack.proving.claims import run_claim
from aistack.proving.proofs import prove_all, prove_one

if __name__ == "__main__":
    # The first process of a container ignores what it doesn't handle, and its pod would linger.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.path.insert(0, "")  # contracts lie in the working directory
    function, *names = sys.argv[1:]
    if function == "prove":
        sys.exit(prove_all(names))
    if function == "prove-one":
        sys.exit(prove_one(names[0]))
    sys.exit(run_claim(function, names[0]))
