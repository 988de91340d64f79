"""Tables without borders, as kubectl prints them, whose last column may be prose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

PROSE = ("MESSAGE", "ABOUT", "DESCRIPTION")
"""Columns of sentences, which may take several lines; always the last of a table."""
LEAST = 40
"""Columns that a sentence needs at least to be read with pleasure."""
_GAP = 3


class PlainTable:
    """Rows under bold titles; a sentence stands beside the other cells where there is room, else below them."""

    def __init__(self, *titles: str) -> None:
        self._titles = [Text(title, "bold") for title in titles]
        self._rows: list[list[Text]] = []
        self._prose = titles[-1] in PROSE

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def add_row(self, *cells: str | Text) -> None:
        """Add a row; a plain text is taken as it is, never as markup."""
        self._rows.append([cell if isinstance(cell, Text) else Text(cell) for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose the layout by the width."""
        widths = [max(row[column].cell_len for row in self._lines()) for column in range(len(self._titles))]
        facts = sum(width + _GAP for width in widths[:-1])
        beside = min(widths[-1], LEAST)
        if self._prose and facts + beside > options.max_width:
            yield from self._below(widths)
        else:
            yield self._beside()

    def _lines(self) -> list[list[Text]]:
        return [self._titles, *self._rows]

    def _beside(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
        for title in self._titles:
            table.add_column(overflow="fold", no_wrap=title.plain not in PROSE)
        for line in self._lines():
            table.add_row(*line)
        return table

    def _below(self, widths: Sequence[int]) -> Iterator[Text | Padding]:
        for line in self._lines():
            yield Text(" " * _GAP).join(_padded(cell, width) for cell, width in zip(line[:-1], widths, strict=False))
            if line is not self._titles and line[-1]:
                yield Padding(line[-1], (0, 0, 0, 2))


def _padded(cell: Text, width: int) -> Text:
    padded = cell.copy()
    padded.pad_right(width - cell.cell_len)
    return padded
