"""Run every capture beside the project through `kneestride analyse`, a row for each.

    python scripts/run_shared_captures.py                     # all, about half an hour
    python scripts/run_shared_captures.py --only gc5 --only squats
    python scripts/run_shared_captures.py --out runs --write

One process at a time, each a fresh command as a user would type it; nothing is edited by
hand and nothing is set but mass, height, static trial and forces. Rows go to
`captures.csv` in the folder of --out as they come, so that a stopped run goes on where it
was; --write puts the table into docs/captures.md and the rows into docs/captures.csv.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time as clock
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kneestride
from doc_blocks import replace_block, table
from kneestride.results.folder import Results

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "captures.md"
TIME_LIMIT = 900.0
"""s for one capture; thirty seconds of running take about one minute."""

COMPARTMENTS = ("total", "medial", "lateral")
COLUMNS = (
    "capture",
    "exit",
    "seconds",
    "frames",
    "task",
    "strides_r",
    "strides_l",
    "rows",
    "marker_rms_mm",
    "masked_share",
    *(f"{c}_peak_BW_{s}" for s in "rl" for c in COMPARTMENTS),
    "reserve_share",
    "saturated_share",
    "residual_force_share",
    "lag_ms",
    "fails",
    "looks",
    "warnings",
    "message",
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Capture:
    """One command: what to read and of whom."""

    name: str
    trial: Path
    mass: float
    height: float
    static: Path | None = None
    forces: Path | None = None
    sex: str = ""

    def command(self, out: Path) -> list[str]:
        """Return the command line that analyses it."""
        words = [sys.executable, "-m", "kneestride.cli", "analyse", str(self.trial)]
        words += ["--mass", f"{self.mass:g}", "--height", f"{self.height:g}"]
        words += ["--out", str(out), "--quiet"]
        for option, value in (
            ("--static", self.static),
            ("--forces", self.forces),
            ("--sex", self.sex),
        ):
            words += [option, str(value)] if value else []
        return words

    def analysed(self, plates: bool = True) -> Results:
        """Analyse it in this process, with its own forces or none."""
        return kneestride.analyse(
            self.trial,
            static=self.static,
            forces=self.forces if plates else "none",
            mass=self.mass,
            height=self.height,
            sex=self.sex,
        )


def captures() -> Iterator[Capture]:
    """Every capture of ../shared/data that is not a static trial."""
    folder = DATA / "gc5"
    yield Capture(
        "gc5 ngait_og_ss1",
        folder / "ngait_og_ss1.trc",
        75.0,
        1.80,
        folder / "static.trc",
        folder / "ngait_og_ss1_grf.mot",
        "m",
    )
    folder = DATA / "bmc_run"
    yield Capture(
        "bmc_run run",
        folder / "run.trc",
        70.0,
        1.68,
        folder / "static.trc",
        folder / "run_grf.mot",
    )
    folder = DATA / "hamner04"
    for name in ("run200", "run400"):
        yield Capture(
            f"hamner04 {name}",
            folder / f"{name}.trc",
            80.47,
            1.772,
            forces=folder / f"{name}_grf.mot",
            sex="m",
        )
    folder = DATA / "opencap04"
    for name in (
        "walking1",
        "walkingTI1",
        "walkingTO1",
        "walkingTS1",
        "squats1",
        "squatsAsym1",
        "DJ1",
        "DJAsym1",
    ):
        yield Capture(
            f"opencap04 {name}",
            folder / f"{name}.trc",
            62.6,
            1.72,
            folder / "static1.trc",
            folder / f"{name}_grf.mot",
        )
    folder = DATA / "sprinter"
    # Nobody wrote down mass and height; without forces only the proportions hang on them.
    yield Capture("sprinter run350", folder / "run350.trc", 70.0, 1.75, folder / "static.trc")
    yield from _rbds(DATA / "rbds")


def _rbds(folder: Path) -> Iterator[Capture]:
    with (folder / "participants.csv").open(encoding="utf-8") as file:
        # The files write some numbers with two digits, the table writes three.
        people = {_number(row["subject"]): row for row in csv.DictReader(file)}
    for trial in sorted(folder.glob("*run*.c3d")):
        person = trial.stem.partition("run")[0]
        row = people[_number(person)]
        yield Capture(
            f"rbds {trial.stem}",
            trial,
            float(row["mass_kg"]),
            float(row["height_cm"]) / 100.0,
            folder / f"{person}static.c3d",
            sex=row["sex"].lower(),
        )


def _number(person: str) -> int:
    return int(person.removeprefix("RBDS"))


def run(capture: Capture, space: Path) -> Row:
    """Analyse one capture in a process of its own and read what it wrote."""
    out = space / re.sub(r"\W+", "_", capture.name)
    shutil.rmtree(out, ignore_errors=True)
    begin = clock.perf_counter()
    try:
        done = subprocess.run(
            capture.command(out), capture_output=True, text=True, timeout=TIME_LIMIT
        )
        status, said = str(done.returncode), done.stderr.strip()
    except subprocess.TimeoutExpired:
        status, said = "time", f"longer than {TIME_LIMIT:g} s"
    row: Row = dict.fromkeys(COLUMNS, "")
    row["capture"], row["exit"] = capture.name, status
    row["seconds"] = f"{clock.perf_counter() - begin:.1f}"
    row["message"] = " ".join(said.split())[-600:]
    if (out / "summary.json").is_file():
        row |= read_summary(json.loads((out / "summary.json").read_text(encoding="utf-8")))
    return row


def read_summary(summary: dict[str, Any]) -> Row:
    """Return the columns of one row from a `summary.json`."""
    checks = {check["name"]: check for check in summary["checks"]}
    row: Row = {
        "frames": summary["frames"],
        "task": summary["task"],
        "marker_rms_mm": _figure(summary["marker_error"]["rms_mm"], 1),
        "fails": "; ".join(n for n, c in checks.items() if c["verdict"] == "fail"),
        "looks": "; ".join(n for n, c in checks.items() if c["verdict"] == "look"),
        "warnings": " | ".join(summary["warnings"]),
        "lag_ms": _figure(summary.get("marker_force_lag_s"), 0, 1000.0),
    }
    units = []
    for side, leg in summary["sides"].items():
        row[f"strides_{side}"] = leg["units"].get("stride", 0)
        units += [f"{side}: {n} {kind}" for kind, n in leg["units"].items() if kind != "stride"]
        for c in COMPARTMENTS:
            found = leg["figures"].get(f"{c}_peak_BW")
            row[f"{c}_peak_BW_{side}"] = _figure(found and found["median"], 2)
    row["rows"] = ", ".join(units)
    shares = [leg["masked_share"] for leg in summary["sides"].values()]
    masked = [s for s in shares if s is not None]
    row["masked_share"] = _figure(max(masked) if masked else None, 3)
    for column, name in (
        ("reserve_share", "reserves"),
        ("saturated_share", "saturation"),
        ("residual_force_share", "residuals"),
    ):
        row[column] = _figure(checks.get(name, {}).get("value"), 3)
    return row


def _figure(value: float | None, digits: int, factor: float = 1.0) -> str:
    return "" if value is None else f"{factor * value:.{digits}f}"


def read_rows(path: Path) -> list[Row]:
    """Return the rows of an earlier run, none if there was none."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write `captures.csv`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def page(rows: Sequence[Row]) -> str:
    """Return what docs/captures.md shows, Markdown."""
    done = [row for row in rows if row["exit"] == "0"]
    parts = [
        f"{len(done)} of {len(rows)} captures ran through to a results folder, "
        f"{sum(float(r['seconds']) for r in rows):.0f} s together, one process at a time.",
        groups(done),
        full_table(rows),
    ]
    return "\n\n".join(parts)


GROUPS = {
    "gc5": "gc5",
    "bmc_run": "bmc_run",
    "hamner04, 2 m/s": "hamner04 run200",
    "hamner04, 4 m/s": "hamner04 run400",
    "opencap04, walking": "opencap04 walking",
    "opencap04, squats": "opencap04 squats",
    "opencap04, drop jumps": "opencap04 DJ",
    "sprinter": "sprinter",
    "rbds, 2.5 m/s": r"rbds .*T25",
    "rbds, 3.5 m/s": r"rbds .*T35",
    "rbds, 4.5 m/s": r"rbds .*T45",
}


def groups(rows: Sequence[Row]) -> str:
    """Return medians (smallest to largest) of every kind of capture."""
    head = ["", "captures", "marker RMS, mm", "total peak, BW", "medial peak, BW"]
    head += ["lateral peak, BW", "reserves, % of peak", "masked, %"]
    out = []
    for name, pattern in GROUPS.items():
        mine = [row for row in rows if re.match(pattern, row["capture"])]
        if not mine:
            continue
        cells = [spread(mine, ["marker_rms_mm"])]
        cells += [spread(mine, [f"{c}_peak_BW_{side}" for side in "rl"]) for c in COMPARTMENTS]
        cells.append(spread(mine, ["reserve_share"], 100.0))
        cells.append(spread(mine, ["masked_share"], 100.0))
        out.append([name, len(mine), *cells])
    return table(head, out)


def spread(rows: Sequence[Row], columns: Sequence[str], factor: float = 1.0) -> str:
    """Median and range of the figures in some columns."""
    values = [factor * float(row[c]) for row in rows for c in columns if row[c] != ""]
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def full_table(rows: Sequence[Row]) -> str:
    """Return one line for each capture."""
    head = ["capture", "exit", "s", "task", "strides r/l", "markers, mm", "masked, %"]
    head += ["total r/l, BW", "medial r/l, BW", "lateral r/l, BW", "reserves, %"]
    head += ["fails", "looks"]
    out = []
    for row in rows:
        cells: list[object] = [row["capture"], row["exit"], row["seconds"], row["task"]]
        strides = f"{row['strides_r']}/{row['strides_l']}"
        cells.append(f"{strides} {row['rows']}".strip() if row["rows"] else strides)
        cells += [row["marker_rms_mm"], _percent(row["masked_share"])]
        for c in COMPARTMENTS:
            both = (row[f"{c}_peak_BW_r"] or "–", row[f"{c}_peak_BW_l"] or "–")
            cells.append(" / ".join(both))
        cells += [_percent(row["reserve_share"]), row["fails"], row["looks"]]
        out.append(cells)
    text = table(head, out)
    refused = [f"- {r['capture']}: {r['message']}" for r in rows if r["exit"] != "0"]
    return "\n\n".join([text, *(["Not analysed:\n\n" + "\n".join(refused)] if refused else [])])


def _percent(share: str) -> str:
    return f"{100 * float(share):.1f}" if share != "" else ""


def main() -> None:
    """Run the captures asked for."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--only", action="append", help="part of a capture's name; repeatable")
    parser.add_argument("--out", type=Path, help="folder for results and captures.csv")
    parser.add_argument(
        "--again", action="store_true", help="also those that ran through before"
    )
    parser.add_argument("--keep", action="store_true", help="keep the results folders")
    parser.add_argument(
        "--write", action="store_true", help=f"put the table into docs/{PAGE.name}"
    )
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("Expected captures in ../shared/data, which is not there.")
    with tempfile.TemporaryDirectory(prefix="kneestride-") as temporary:
        space = options.out or Path(temporary)
        space.mkdir(parents=True, exist_ok=True)
        rows = {row["capture"]: row for row in read_rows(space / "captures.csv")}
        for capture in captures():
            wanted = not options.only or any(part in capture.name for part in options.only)
            done = rows.get(capture.name, {}).get("exit") == "0"
            if not wanted or (done and not options.again):
                continue
            row = run(capture, space)
            rows[capture.name] = row
            write_rows(space / "captures.csv", list(rows.values()))
            told = f"total {row['total_peak_BW_r']} / {row['total_peak_BW_l']} BW"
            print(
                f"{capture.name}: exit {row['exit']}, {row['seconds']} s, {row['task']}, "
                f"markers {row['marker_rms_mm']} mm, {told}, fails: {row['fails'] or 'none'}"
                + (f". {row['message']}" if row["exit"] != "0" else ""),
                flush=True,
            )
            if not options.keep:
                shutil.rmtree(space / re.sub(r"\W+", "_", capture.name), ignore_errors=True)
        if options.write:
            replace_block(PAGE, "captures", page(list(rows.values())))
            write_rows(PAGE.with_suffix(".csv"), list(rows.values()))


if __name__ == "__main__":
    main()
