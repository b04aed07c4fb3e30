"""The table on the terminal while a study runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .jobs import Outcome

if TYPE_CHECKING:
    from rich.console import Group

LAST = 5
"""Ended trials that stay in sight."""
FEW = 12
"""Running trials that are listed; a cluster has more at once than a screen has lines."""


class Watch:
    """Gathers what happens; says nothing."""

    def __init__(self, total: int, kept: int) -> None:
        self.total, self.kept = total, kept
        self.running: dict[str, tuple[str, float]] = {}
        self.ended: list[Outcome] = []
        self.begin = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace

    def doing(self, job: str, what: str) -> None:
        """Note what is being done with a trial."""
        since = self.running.get(job, ("", time.monotonic()))[1]
        self.running[job] = (what, since)

    def done(self, outcome: Outcome) -> None:
        """Note that a trial has ended."""
        self.running.pop(outcome.id, None)
        self.ended.append(outcome)

    def headline(self) -> str:
        """Return counts in one line, with the time left as far as it can be told."""
        failed = sum(o.state == "failed" for o in self.ended)
        text = f"{self.kept + len(self.ended)} of {self.total} trials"
        text += f", {self.kept} from before" if self.kept else ""
        text += f", {failed} failed" if failed else ""
        left = self.total - self.kept - len(self.ended)
        if self.ended and left:
            seconds = (time.monotonic() - self.begin) / len(self.ended) * left
            text += f", about {max(1, round(seconds / 60))} min left"
        return text


class Table(Watch):
    """Draws the table with rich."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            console=Console(stderr=True),
            get_renderable=self._drawn,
            refresh_per_second=4,
            transient=True,
        )
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def _drawn(self) -> Group:
        from rich.console import Group
        from rich.padding import Padding
        from rich.progress_bar import ProgressBar
        from rich.table import Table as Lines
        from rich.text import Text

        lines = Lines(box=None, pad_edge=False)
        for name in ("trial", "now", "s"):
            lines.add_column(name, justify="right" if name == "s" else "left")
        words = {"done": "done", "failed": "failed", "kept": "from before"}
        for outcome in self.ended[-LAST:]:
            style = "bold" if outcome.state == "failed" else "dim"
            lines.add_row(
                Text(outcome.id), words[outcome.state], f"{outcome.seconds:.0f}", style=style
            )
        for job, (what, since) in list(self.running.items())[:FEW]:
            lines.add_row(Text(job), Text(what), f"{time.monotonic() - since:.0f}")
        bar = ProgressBar(total=self.total, completed=self.kept + len(self.ended), width=60)
        return Group(Text(self.headline()), Padding(bar), lines)


@contextmanager
def watching(total: int, kept: int, quiet: bool) -> Iterator[Watch]:
    """Give a table on a terminal, and a silent watch in a pipe or when asked for quiet."""
    kind = Watch if quiet or not sys.stderr.isatty() else Table
    with kind(total, kept) as watch:
        yield watch
