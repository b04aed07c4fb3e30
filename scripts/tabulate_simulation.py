"""Write the tables of docs/simulation.md from simulated strides of real runners.

    python scripts/tabulate_simulation.py --folder runs --write
    python scripts/tabulate_claims.py runs/simulated/* --write

Analyses and simulates five strides (`kneestride analyse`, `kneestride simulate`, default
doses) into the folder, keeps what is there already, and reads every figure from the files
that these commands wrote. `--also rbds RBDS002runT25` makes further strides for
`tabulate_claims.py`; they are not in these tables.

A leg swings while its ground reaction is below 20 N; captured moments are read at the
instants of the simulated stride.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from doc_blocks import replace_block, signed, table
from kneestride.results.tables import Table, read_table
from kneestride.vocabulary import GRAVITY, SIDES
from run_shared_captures import Capture, captures

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "simulation.md"
SHOWN = (
    "rbds RBDS001runT35",
    "rbds RBDS08runT35",
    "rbds RBDS012runT35",
    "hamner04 run200",
    "hamner04 run400",
)
VARIANTS = ("valgus", "neutral", "knee-out", "crossover")
UNLOADED = 20.0
"""N; a foot with less swings."""
SLIDES = ("pelvis_tx_mm", "pelvis_ty_mm", "pelvis_tz_mm")


@dataclass(frozen=True)
class Made:
    """A simulated stride and the results folder that it came from.

    Attributes
    ----------
    name : of the capture's file
    captured, simulated : folders of `kneestride analyse` and `kneestride simulate`
    about : `simulation` of each summary.json, by variant
    unseen : coordinates that no marker told
    changes : row of comparison.csv by variant, side, quantity and measure; original to variant
    weight : N
    """

    name: str
    captured: Path
    simulated: Path
    about: dict[str, dict[str, Any]]
    unseen: frozenset[str]
    changes: dict[tuple[str, str, str, str], float]
    weight: float


def make(capture: Capture, folder: Path) -> Made:
    """Analyse and simulate one capture, unless its folders are there already."""
    name = capture.trial.stem
    captured, simulated = folder / "captured" / name, folder / "simulated" / name
    if not captured.is_dir():
        subprocess.run(capture.command(captured), check=True)
    if not simulated.is_dir():
        words = [sys.executable, "-m", "kneestride.cli", "simulate", str(captured)]
        subprocess.run([*words, "--out", str(simulated), "--quiet"], check=True)
    return read(name, captured, simulated)


def read(name: str, captured: Path, simulated: Path) -> Made:
    """Read what the two commands wrote."""
    summaries = {
        v: json.loads((simulated / v / "summary.json").read_text(encoding="utf-8"))
        for v in ("original", *VARIANTS)
    }
    with (simulated / "comparison.csv").open(encoding="utf-8", newline="") as file:
        changes = {
            (row["second"], row["first_side"], row["quantity"], row["measure"]): float(
                row["change"]
            )
            for row in csv.DictReader(file)
            if row["first"] == "original" and row["first_side"] == row["second_side"]
        }
    original = summaries["original"]
    return Made(
        name.removesuffix("runT35"),
        captured,
        simulated,
        {v: s["simulation"] for v, s in summaries.items()},
        frozenset(original["uninformed_coordinates"]),
        changes,
        original["subject"]["mass_kg"] * GRAVITY,
    )


def balance(runs: Sequence[Made]) -> str:
    """Return the table of what the way from a captured stride to a variant moves and leaves."""
    rows: list[tuple[str, Callable[[Made], str]]] = [
        ("made periodic: most moved joint, pelvis", lambda r: _moved(r, "closing_moved")),
        ("pelvis residual before: force, moment", lambda r: _residual(r, "residual_before")),
        ("after (rule 5 %, 1 %)", lambda r: _residual(r, "residual_after")),
        (
            "reduction moved: most moved joint that markers told, pelvis",
            lambda r: _moved(r, "reduction_moved"),
        ),
        ("trunk and arms that no marker told", _unseen_moved),
        (
            "adduction moment in swing, right leg: captured; original, N·m",
            lambda r: "; ".join(
                f"{_signed(m.min())} to {_signed(m.max())}" for m in _swing(r, "original", "r")
            ),
        ),
        (
            "its rms change in swing, right and left: original; all variants, at most",
            _swing_changes,
        ),
        (
            "all variants: change of pelvis residual, at most",
            lambda r: (
                f"{_most(r, 'residual_force_change_N'):.1f} N, "
                f"{_most(r, 'residual_moment_change_Nm'):.1f} N·m"
            ),
        ),
        (
            "the same moment without corrections",
            lambda r: f"{_most(r, 'moment_change_without_corrections_Nm'):.1f} N·m",
        ),
        (
            "corrections: pressure, free moment",
            lambda r: (
                f"{_most(r, 'pressure_correction_mm'):.1f} mm, "
                f"{_most(r, 'free_moment_correction_Nm'):.1f} N·m"
            ),
        ),
        (
            "standing foot slides, sinks",
            lambda r: f"{_most(r, 'foot_slide_mm'):.2f}, {_most(r, 'foot_sink_mm'):.2f} mm",
        ),
        ("least distance of the legs' axes (captured)", _clearance),
        (
            "valgus 10°, measured by the alignment code, right and left",
            lambda r: ", ".join(
                f"{r.about['valgus']['projection_angle_change_deg'][s]:.2f}°" for s in SIDES
            ),
        ),
        (
            "crossover 40 mm, measured",
            lambda r: f"{_signed(r.about['crossover']['step_width_change_mm'], 1)} mm",
        ),
    ]
    return _table(runs, rows)


def loads(runs: Sequence[Made]) -> str:
    """Return the table of what each variant changes at the knee."""

    def change(variant: str, quantity: str, digits: int, share: bool = False) -> Any:
        def cell(run: Made) -> str:
            by = run.weight if share else 1.0
            return ", ".join(
                _signed(run.changes[variant, s, quantity, "peak"] / by, digits) for s in SIDES
            )

        return cell

    moment, medial, lateral = "adduction_moment_Nm", "medial_N", "lateral_N"
    rows = [
        ("valgus 10°: adduction moment, N·m", change("valgus", moment, 0)),
        ("medial, BW", change("valgus", medial, 2, True)),
        ("lateral, BW", change("valgus", lateral, 2, True)),
        ("medial impulse, N·s", _impulse("valgus", medial)),
        ("lateral impulse, N·s", _impulse("valgus", lateral)),
        ("knee-out 5°: adduction moment, N·m", change("knee-out", moment, 0)),
        ("medial, BW", change("knee-out", medial, 2, True)),
        ("crossover 40 mm: adduction moment, N·m", change("crossover", moment, 1)),
        ("hip adduction, °", change("crossover", "hip_adduction_deg", 1)),
        ("medial, BW", change("crossover", medial, 2, True)),
        ("lateral, BW", change("crossover", lateral, 2, True)),
    ]
    return _table(runs, rows)


def _impulse(variant: str, quantity: str) -> Callable[[Made], str]:
    return lambda run: ", ".join(
        _signed(run.changes[variant, s, quantity, "impulse"], 0) for s in SIDES
    )


def _table(runs: Sequence[Made], rows: Sequence[tuple[str, Callable[[Made], str]]]) -> str:
    return table(
        ["", *(r.name for r in runs)], [[n, *(cell(r) for r in runs)] for n, cell in rows]
    )


def _signed(value: float, digits: int = 0) -> str:
    return signed(value, digits, plus=False)


def _moved(run: Made, key: str) -> str:
    moved = run.about["original"][key]
    joints = {
        k: v
        for k, v in moved.items()
        if k.endswith("_deg") and k.removesuffix("_deg") not in run.unseen
    }
    most = max(joints, key=lambda name: float(joints[name]))
    pelvis = max(float(moved.get(name, 0.0)) for name in SLIDES)
    return (
        f"{joints[most]:.1f}° ({most.removesuffix('_deg').replace('_', ' ')}), {pelvis:.1f} mm"
    )


def _unseen_moved(run: Made) -> str:
    moved = run.about["original"]["reduction_moved"]
    found = [v for k, v in moved.items() if k.removesuffix("_deg") in run.unseen]
    return f"{max(found):.0f}°" if found else "–"


def _residual(run: Made, key: str) -> str:
    left = run.about["original"][key]
    return f"{100 * left['force_share']:.1f}, {100 * left['moment_share']:.2f} %"


def _most(run: Made, key: str) -> float:
    return max(abs(float(run.about[v][key])) for v in VARIANTS)


def _clearance(run: Made) -> str:
    least = min(float(run.about[v]["leg_clearance_mm"]) for v in VARIANTS)
    before = min(float(run.about[v]["leg_clearance_before_mm"]) for v in VARIANTS)
    return f"{least:.0f} ({before:.0f}) mm"


def _column(read: Table, name: str) -> np.ndarray:
    return read.values[:, read.names.index(name)]


def _stride(run: Made, variant: str) -> tuple[Table, np.ndarray]:
    """Knee loads of a simulated folder, and which of its frames lie in the one stride."""
    loaded = read_table(run.simulated / variant / "knee_loads.sto")
    about = run.about["original"]
    start = about["stride_start_s"]
    return loaded, (loaded.time >= start) & (loaded.time < start + about["stride_period_s"])


def _swing(run: Made, variant: str, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Adduction moment (N·m) of a swinging leg before and after: captured and original, or
    original and variant."""
    after, stride = _stride(run, variant)
    ground = read_table(run.simulated / "original" / "ground_forces.mot")
    up = np.interp(after.time, ground.time, _column(ground, f"ground_force_{side}_vy"))
    swing = stride & (up < UNLOADED)
    name = f"knee_{side}_adduction_moment_Nm"
    if variant == "original":
        source = read_table(run.captured / "knee_loads.sto")
    else:
        source = read_table(run.simulated / "original" / "knee_loads.sto")
    before = np.interp(after.time, source.time, _column(source, name))
    return before[swing], _column(after, name)[swing]


def _rms(run: Made, variant: str, side: str) -> float:
    before, after = _swing(run, variant, side)
    return float(np.sqrt(np.mean((after - before) ** 2)))


def _swing_changes(run: Made) -> str:
    own = ", ".join(f"{_rms(run, 'original', s):.1f}" for s in SIDES)
    return f"{own}; {max(_rms(run, v, s) for v in VARIANTS for s in SIDES):.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what is missing, then print the tables or write them into docs/simulation.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the strides lie")
    parser.add_argument("--also", nargs="*", default=[], help="further captures, by name")
    parser.add_argument("--write", action="store_true", help="into docs/simulation.md")
    options = parser.parse_args(arguments)
    known = {c.name: c for c in captures()}
    missing = [name for name in (*SHOWN, *options.also) if name not in known]
    if missing:
        parser.error(f"no capture {', '.join(missing)}; there are: {', '.join(known)}")
    runs = [make(known[name], options.folder) for name in SHOWN]
    for name in options.also:
        make(known[name], options.folder)
    for block, text in (("balance", balance(runs)), ("loads", loads(runs))):
        print(text, end="\n\n")
        if options.write:
            replace_block(PAGE, block, text)


if __name__ == "__main__":
    main()
