"""Bills of materials: what an image that was built holds, in CycloneDX's JSON, read from its archive.

Promises: the same archive gives the same text; what package managers noted in the image is told with versions and
licences (Debian, Python, npm), and so are the Go modules that programs say they are made of. Never: guesses, runs
anything, asks a network.
"""

from aistack.images.sbom.document import bill_of, sbom_file, write_sbom

__all__ = ["bill_of", "sbom_file", "write_sbom"]
