"""``python -m tests.generate [--check]``: writes every generated file, or tells which ones are stale."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from aistack.api.crd import DEFINITIONS, crd_yaml
from tests.authors import authors_page
from tests.chart.generated import chart_files
from tests.conformance.page import conformance_page
from tests.golden import expected_renders
from tests.locks import locks
from tests.metrics import metrics_page
from tests.picture import picture
from tests.reference import reference
from tests.rights import rights_page

ROOT = Path(__file__).resolve().parent.parent
CRDS = ROOT / "crds"


def generated() -> Iterator[tuple[Path, str]]:
    """Yield each generated file and what it must hold."""
    yield from ((CRDS / definition.file, crd_yaml(definition)) for definition in DEFINITIONS)
    yield picture()
    yield reference()
    yield authors_page()
    yield rights_page()
    yield metrics_page()
    yield conformance_page()
    yield from locks()
    yield from chart_files()
    yield from expected_renders()


def main(arguments: Sequence[str]) -> int:
    """Write what differs; with ``--check`` only name it."""
    stale = [(path, text) for path, text in generated() if not path.is_file() or path.read_text("utf-8") != text]
    for path, text in stale:
        print(f"{'stale' if '--check' in arguments else 'written'}: {path.relative_to(ROOT)}")
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
    if stale and "--check" in arguments:
        print("run `make generate` and commit what it writes")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
