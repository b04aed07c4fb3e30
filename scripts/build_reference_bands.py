"""Write models/reference_bands.toml: what twenty healthy runners show, by speed.

    python scripts/build_reference_bands.py                       # about half an hour
    python scripts/build_reference_bands.py --keep legs           # goes on where it was
    python scripts/build_reference_bands.py --only RBDS018 --out try.toml

Every RBDS run is analysed as a user would analyse it, with the settings as they ship; per
leg the medians over its strides are kept, and of these the median and the 10th and 90th
percentile over the legs at one speed are written. Nothing is left out and nothing is
tuned. Only such statistics go into the table; the recordings stay where they are.

Data: Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time as clock
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from kneestride import analyse
from kneestride.report.stances import CURVES, band, curves_of, normalise, stance_windows
from kneestride.results.folder import Results
from kneestride.results.summary import build_summary
from kneestride.vocabulary import SIDES
from rbds_paths import BELTS
from run_shared_captures import Capture, captures

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "models" / "reference_bands.toml"
AT = np.linspace(0.0, 100.0, 41)
"""Percent of stance of the curves that are written."""
LEFT_OUT = ("_N", "_Ns", "chain_measured", "masked_share", "mid_s")
"""What says nothing about another person: distances to limits, newtons, clock times."""

Leg = dict[str, Any]

HEAD = """# What healthy runners show at three speeds on a treadmill, as this project's analysis
# sees them. Written by scripts/build_reference_bands.py; do not edit.
#
# One value a leg (its median over about forty strides); of these the 10th, 50th and 90th
# percentile over the legs. Curves: each leg's median curve over stance, the percentiles
# point by point. The bands hold what differs between people and everything that the
# analysis does to all alike; they are no limits of health.

source = "Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0"
source_name = "RBDS"
task = "running"
percentiles = [10, 50, 90]
"""


def legs_of(results: Results) -> list[Leg]:
    """Medians of figures and curves of each leg."""
    sides = build_summary(results)["sides"]
    out = []
    for side in SIDES:
        windows = stance_windows(results.strides, side)
        curves = {
            name: band(normalise(results.motion.time, values, windows, AT))[1].tolist()
            for name, values in curves_of(results, side).items()
        }
        figures = {n: f["median"] for n, f in sides[side]["figures"].items()}
        for moment in ("adduction", "flexion"):
            value = figures.pop(f"{moment}_moment_peak_Nm", None)
            if value is not None:
                figures[f"{moment}_moment_peak_Nm_per_kg"] = value / results.subject.mass
        out.append({"side": side, "figures": figures, "curves": curves})
    return out


def collect(todo: Sequence[Capture], keep: Path) -> dict[float, list[Leg]]:
    """Analyse what is not kept yet and return the legs by belt speed."""
    found: dict[float, list[Leg]] = {}
    for k, capture in enumerate(todo):
        path = keep / f"{capture.trial.stem}.json"
        if not path.exists():
            begin = clock.perf_counter()
            results = analyse(
                capture.trial,
                static=capture.static,
                mass=capture.mass,
                height=capture.height,
                sex=capture.sex,
            )
            path.write_text(json.dumps(legs_of(results)))
            spent = clock.perf_counter() - begin
            print(f"{k + 1}/{len(todo)} {capture.name}: {spent:.1f} s", flush=True)
        speed = BELTS[capture.trial.stem[-3:]]
        found.setdefault(speed, []).extend(json.loads(path.read_text()))
    return dict(sorted(found.items()))


def toml(by_speed: Mapping[float, Sequence[Leg]]) -> str:
    """The table's text."""
    lines = [HEAD, f"speed_m_s = {list(by_speed)}"]
    lines += [f"legs = {[len(legs) for legs in by_speed.values()]}"]
    lines += [f"stance_percent = {AT.tolist()}", ""]
    everyone = [leg for legs in by_speed.values() for leg in legs]
    for name in dict.fromkeys(n for leg in everyone for n in leg["figures"]):
        if "_margin_" in name or name.endswith(LEFT_OUT):
            continue
        per_speed = []
        for legs in by_speed.values():
            values = [v for leg in legs if (v := leg["figures"].get(name)) is not None]
            # A figure that half of the legs lack would show who has it, not what is usual.
            if 2 * len(values) < len(legs):
                break
            per_speed.append(_text(np.percentile(values, (10, 50, 90))))
        else:
            lines.append(f"[figures.{name}]\nby_speed = [{', '.join(per_speed)}]\n")
    for name in CURVES:
        lines.append(f"[curves.{name}]")
        for k, label in enumerate(("low", "median", "high")):
            rows = [
                _text(band(np.array([leg["curves"][name] for leg in legs]))[k])
                for legs in by_speed.values()
            ]
            lines.append(f"{label} = [\n  " + ",\n  ".join(rows) + ",\n]")
        lines.append("")
    return "\n".join(lines)


def _text(values: Sequence[float] | np.ndarray) -> str:
    return "[" + ", ".join(f"{float(v) + 0.0:.4g}" for v in values) + "]"


def main() -> None:
    """Analyse and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", default=[], help="part of a name")
    parser.add_argument("--keep", type=Path, help="folder for what is done already")
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    todo = [c for c in captures() if c.name.startswith("rbds ")]
    todo = [c for c in todo if not options.only or any(o in c.name for o in options.only)]
    with tempfile.TemporaryDirectory() as space:
        keep = options.keep or Path(space)
        keep.mkdir(parents=True, exist_ok=True)
        text = toml(collect(todo, keep))
    options.out.write_text(text, encoding="utf-8")
    print(f"Written: {options.out.name}")


if __name__ == "__main__":
    main()
