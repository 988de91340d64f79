"""The conformance suite on the kind cluster, and the page of its reports."""
