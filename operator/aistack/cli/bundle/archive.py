"""The archive: texts go in through the scrubber, and come out as a tar.gz that only its owner may read."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

from aistack.cli.bundle.scrub import Scrubber
from aistack.cli.output import yaml_text

LONGEST = 4 * 2**20
"""Characters of one file; the end of a longer text is kept, as it is the newest."""


class Archive:
    """What is collected.

    Args:
        root: name of the folder that everything is in.
        scrubber: takes out what is secret.
    """

    def __init__(self, root: str, scrubber: Scrubber) -> None:
        self.left_out: list[str] = []
        """What couldn't be had, and why."""
        self._root, self._scrubber = root, scrubber
        self._files: dict[str, str] = {}

    @property
    def needles(self) -> int:
        """How many texts are looked for, to be taken out."""
        return len(self._scrubber)

    def add(self, path: str, text: str) -> None:
        """Add a text."""
        if len(text) > LONGEST:
            text = f"[the beginning was cut: {len(text) - LONGEST} characters]\n{text[-LONGEST:]}"
        self._files[self._scrubber.scrub(path)] = self._scrubber.scrub(text)

    def add_data(self, path: str, data: Any) -> None:
        """Add data, as YAML: its texts are scrubbed before they are quoted and folded."""
        self.add(path, yaml_text([self._scrubbed(data)]))

    def note(self, what: str) -> None:
        """Say what is left out."""
        self.left_out.append(what)

    def write(self, target: Path) -> int:
        """Write everything; returns the number of files.

        Raises:
            OSError: it can't be written.
        """
        self.add("left-out.txt", "\n".join([*self.left_out, ""]) if self.left_out else "nothing\n")
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
            for path, text in sorted(self._files.items()):
                raw = text.encode()
                entry = tarfile.TarInfo(f"{self._root}/{path}")
                entry.size, entry.mode = len(raw), 0o600
                tar.addfile(entry, io.BytesIO(raw))
        return len(self._files)

    def _scrubbed(self, data: Any) -> Any:
        if isinstance(data, str):
            return self._scrubber.scrub(data)
        if isinstance(data, dict):
            return {self._scrubbed(key): self._scrubbed(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self._scrubbed(item) for item in data]
        return data
