"""Knee loads of the shared captures beside published ones.

    python scripts/validate_published.py [--write]

Our figures are read from docs/captures.csv (`scripts/run_shared_captures.py --write`), so
this takes no time; where no one has measured a load inside a living knee (running), the
published value is another model's and agreement means only that.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from doc_blocks import replace_block, table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validation.md"
CAPTURES = ROOT / "docs" / "captures.csv"

Row = dict[str, str]


@dataclass(frozen=True)
class Published:
    """A published figure and the captures that may stand beside it.

    Attributes
    ----------
    what, value, kind, source : as printed
    column : stem of the column in captures.csv, without its side
    mine : picks captures
    sides : knees counted
    """

    what: str
    value: str
    kind: str
    source: str
    column: str
    mine: Callable[[str], bool]
    sides: str = "rl"


def _gc5(name: str) -> bool:
    return name.startswith("gc5")


def _running(speed: str) -> Callable[[str], bool]:
    return lambda name: name.startswith("rbds") and name.endswith(speed)


_PS = "implant, subject PS, five trials (Fregly et al. 2012, doi:10.1002/jor.22023)"
_MILLER = "Miller et al. 2014, doi:10.1249/MSS.0000000000000135"
TABLE = (
    Published(
        "walking, PS, total peak", "2.19 to 2.47 BW", "measured", _PS, "total", _gc5, "l"
    ),
    Published(
        "walking, PS, medial peak", "1.57 to 1.76 BW", "measured", _PS, "medial", _gc5, "l"
    ),
    Published(
        "walking, PS, lateral peak", "0.91 to 1.04 BW", "measured", _PS, "lateral", _gc5, "l"
    ),
    Published(
        "walking, somebody else, total peak", "2.72 BW", "model, 14 people", _MILLER, "total",
        lambda name: name == "opencap04 walking1",
    ),
    Published(
        "running 2.5 m/s, total peak", "8.02 BW", "model, 14 people", _MILLER, "total",
        _running("T25"),
    ),
    Published(
        "running 3.5 m/s, total peak", "8.02 BW", "model, 14 people", _MILLER, "total",
        _running("T35"),
    ),
)  # fmt: skip


def values(rows: Iterable[Row], wanted: Published) -> list[float]:
    """Our peaks, BW: one figure a capture, the mean of its knees."""
    found = []
    for row in rows:
        if not wanted.mine(row["capture"]):
            continue
        cells = [row.get(f"{wanted.column}_peak_BW_{s}", "") for s in wanted.sides]
        known = [float(cell) for cell in cells if cell]
        if known:
            found.append(sum(known) / len(known))
    return found


def report(rows: list[Row]) -> str:
    """The table of the page."""
    lines = []
    for p in TABLE:
        mine = values(rows, p)
        if not mine:
            shown = "no whole contact"
        elif len(mine) == 1:
            shown = f"{mine[0]:.2f} BW"
        else:
            reach = f"{min(mine):.1f} to {max(mine):.1f}"
            shown = f"{median(mine):.1f} ({reach}) BW, {len(mine)} people"
        lines.append([p.what, shown, p.value, p.kind, p.source])
    return table(["quantity", "here", "published", "how", "source"], lines)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"put it into docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    if not CAPTURES.is_file():
        raise SystemExit(
            f"Expected {CAPTURES.name} in docs/. Run scripts/run_shared_captures.py --write."
        )
    with CAPTURES.open(encoding="utf-8") as file:
        text = report(list(csv.DictReader(file)))
    print(text)
    if options.write:
        replace_block(PAGE, "published", text)


if __name__ == "__main__":
    main()
