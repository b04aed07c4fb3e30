"""Measured figures inside written pages: text between two markers, replaced as a whole.

    <!-- begin: NAME -->
    ... written by a script ...
    <!-- end: NAME -->

What stands outside the markers is left alone, so that a page can explain in prose what
the figures in it mean, and the figures can be measured again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def replace_block(page: Path, name: str, text: str) -> None:
    """Put `text` between the markers NAME of a page.

    Raises
    ------
    SystemExit
        The page has no such markers.
    """
    before, _, after = _parts(page, name)
    begin, end = _markers(name)
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")


def read_block(page: Path, name: str) -> str:
    """Return what stands between the markers NAME of a page; raises as `replace_block`."""
    return _parts(page, name)[1].strip()


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- begin: {name} -->", f"<!-- end: {name} -->"


def _parts(page: Path, name: str) -> tuple[str, str, str]:
    begin, end = _markers(name)
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    inside, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{page.name} needs the lines {begin} and {end} for these figures")
    return before, inside, after


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def signed(value: float, digits: int = 0, plus: bool = True) -> str:
    """Return a change as text; one that rounds to nothing has no sign."""
    text = f"{value:+.{digits}f}"
    if not text.strip("+-0."):
        return text[1:]
    return text.replace("-", "−") if plus else text.replace("-", "−").removeprefix("+")
