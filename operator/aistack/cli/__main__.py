"""``python -m aistack.cli``: the same as ``aistack``."""

from __future__ import annotations

from aistack.cli import main

if __name__ == "__main__":
    main()
