"""Segment sizes with and without the static trial, and what the difference does to results.

    python scripts/scaling_without_static.py --write              # all, about ten minutes
    python scripts/scaling_without_static.py --only RBDS001 --only gc5
    python scripts/scaling_without_static.py --effects --write    # loads of a few trials
    python scripts/scaling_without_static.py --keypoints --write  # lengths from key points

The static trial is kept aside: the recording is read, repaired and scaled as if there were
none. Every model then follows the same markers on up to 300 frames from
the middle. Rows go to
docs/scaling.csv and docs/scaling_effects.csv, tables into docs/scaling.md.
"""

from __future__ import annotations

import argparse
import csv
import time as clock
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keypoint_robustness as keypoints
import kneestride
import numpy as np
from compare_with_opensim import shortened
from doc_blocks import replace_block, table
from kneestride import stages
from kneestride.capture.read import read_trial
from kneestride.capture.trial import Markers, Subject, Trial
from kneestride.model.fitting import FittedSubject, fit_subject
from kneestride.settings import Settings
from run_shared_captures import Capture, captures

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scaling.md"
SEGMENTS = (
    "pelvis_width", "thigh_r", "thigh_l", "shank_r", "shank_l", "foot_r", "foot_l",
    "trunk_r", "trunk_l",
)  # fmt: skip
GROUPS = {
    "rbds, 2.5 m/s": "T25", "rbds, 3.5 m/s": "T35", "rbds, 4.5 m/s": "T45",
    "opencap04": "opencap04", "gc5": "gc5", "bmc_run": "bmc_run", "sprinter": "sprinter",
}  # fmt: skip
EFFECTS = (
    "gc5 ngait_og_ss1", "opencap04 walking1", "rbds RBDS001runT25", "rbds RBDS012runT35",
    "rbds RBDS018runT45", "rbds RBDS04runT35",
)  # fmt: skip
KEYPOINTS = (
    "opencap04 walking1", "rbds RBDS019runT35", "rbds RBDS024runT25", "rbds RBDS027runT35",
)  # fmt: skip
DETECTORS, NOISES_MM = ("COCO-17", "BODY_25"), (0.0, 10.0, 20.0, 30.0)
SECONDS = 8.0
"""Of a recording that is reduced to key points."""
FRAMES = 300
WINDOW = slice(1500, 2400)
"""Frames of an RBDS trial whose loads are compared."""
FIGURES = {
    "projection_angle_mid_deg": "projection angle, °",
    "adduction_moment_peak_Nm": "adduction moment, N·m",
    "medial_peak_BW": "medial peak, BW",
}
Row = dict[str, Any]


def prepared(capture: Capture, static: bool) -> stages.Prepared:
    """Return the recording, conditioned with or without its static trial."""
    subject = Subject(capture.mass, capture.height, capture.sex)
    still = capture.static if static else None
    return stages.prepare(capture.trial, still, "none", None, Settings(), subject)


def scaled(capture: Capture, ready: stages.Prepared) -> FittedSubject:
    """Return the person's model."""
    return fit_subject(
        stages.generic_model(None, Settings()),
        Subject(capture.mass, capture.height, capture.sex),
        ready.trial.markers,
        ready.names,
        ready.static,
        ready.static_names,
    )


def marker_rms(fitted: FittedSubject, ready: stages.Prepared) -> float:
    """Root mean square distance of model to captured markers over frames of the middle, m."""
    m = ready.trial.markers
    first = max(0, (len(m.time) - FRAMES) // 2)
    pick = slice(first, first + FRAMES)
    few = Markers(m.names, m.time[pick], m.rate, np.ascontiguousarray(m.positions[pick]))
    raw, *_ = stages.follow_markers(
        fitted, replace(ready, trial=replace(ready.trial, markers=few))
    )
    assert raw.marker_error is not None
    return float(np.sqrt(np.nanmean(raw.marker_error**2)))


def sizes(wanted: Callable[[str], bool]) -> list[Row]:
    """Return one row for each capture: lengths with and without static, m."""
    stills: dict[Path, FittedSubject] = {}
    rows = []
    for capture in captures():
        if not wanted(capture.name) or (
            capture.static is None and "hamner" not in capture.name
        ):
            continue
        moving = prepared(capture, static=False)
        begin = clock.process_time()
        own = scaled(capture, moving)
        row: Row = {"capture": capture.name, "seconds": clock.process_time() - begin}
        row["height_m"], row["rms_mm"] = capture.height, 1e3 * marker_rms(own, moving)
        if capture.static is not None:
            if capture.static not in stills:
                stills[capture.static] = scaled(capture, prepared(capture, static=True))
            still = stills[capture.static]
            row["static_rms_mm"] = 1e3 * marker_rms(still, moving)
        for name in SEGMENTS:
            row[f"{name}_mm"] = 1e3 * own.lengths[name].value
            row[f"{name}_error_mm"] = 1e3 * own.lengths[name].error
            if capture.static is not None:
                row[f"{name}_static_mm"] = 1e3 * still.lengths[name].value
        rows.append(row)
        print(capture.name, *(f"{n} {off(row, n):+.1f} %" for n in SEGMENTS[:7]), flush=True)
    return rows


def off(row: Row, name: str) -> float:
    """Deviation from the static trial, %; NaN without one."""
    still = float(row.get(f"{name}_static_mm") or "nan")
    return 100.0 * (float(row[f"{name}_mm"]) / still - 1.0)


def size_page(rows: Sequence[Row]) -> str:
    """Return deviations by group and segment, and the recordings without a static trial."""
    head = ["", "trials", "pelvis width", "thighs", "shanks", "feet", "trunk", "within 3 %"]
    head += ["marker RMS, mm (with static)"]
    out = []
    for label, part in GROUPS.items():
        mine = [r for r in rows if part in r["capture"]]
        if not mine:
            continue
        cells: list[object] = [label, len(mine)]
        every: list[float] = []
        for stem in ("pelvis", "thigh", "shank", "foot", "trunk"):
            if stem == "trunk" and "rbds" in label:
                cells.append("no markers")
                continue
            values = [off(r, n) for r in mine for n in SEGMENTS if n.startswith(stem)]
            cells.append(_deviation(values))
            every += values if stem != "trunk" else []
        cells.append(f"{100 * np.mean(np.abs(every) < 3):.0f} %")
        rms, still = ([float(r[c]) for r in mine] for c in ("rms_mm", "static_rms_mm"))
        cells.append(f"{np.median(rms):.1f} ({np.median(still):.1f})")
        out.append(cells)
    lone = [r for r in rows if not r.get("thigh_r_static_mm")]
    second = [
        [r["capture"], *(f"{float(r[f'{n}_mm']):.0f} ± {float(r[f'{n}_error_mm']):.0f}"
                         for n in SEGMENTS), f"{float(r['rms_mm']):.1f}"]
        for r in lone
    ]  # fmt: skip
    heads = ["no static trial, mm", *SEGMENTS, "marker RMS"]
    return "\n\n".join([table(head, out), *([table(heads, second)] if second else [])])


def _deviation(values: Iterable[float]) -> str:
    v = np.array(list(values))
    worst = v[np.argmax(np.abs(v))]
    return f"{np.median(np.abs(v)):.1f} % ({v.mean():+.1f}, worst {worst:+.1f})"


def effects(wanted: Callable[[str], bool]) -> list[Row]:
    """Return results of a few trials analysed both ways, medians over strides of a side."""
    rows = []
    for capture in captures():
        if capture.name not in EFFECTS or not wanted(capture.name):
            continue
        trial = read_trial(capture.trial, capture.forces)
        if "rbds" in capture.name:
            trial = shortened(trial, WINDOW)
        found = {}
        for how, static in (("static", capture.static), ("motion", None)):
            results = kneestride.analyse(
                trial, static=static, mass=capture.mass, height=capture.height,
                sex=capture.sex,
            )  # fmt: skip
            for side in "rl":
                for column in FIGURES:
                    values = [
                        float(r[column]) for r in results.strides  # type: ignore[arg-type]
                        if r.get("side") in (side, "both") and r.get(column) is not None
                    ]  # fmt: skip
                    known = [v for v in values if np.isfinite(v)]
                    found[how, side, column] = float(np.median(known)) if known else np.nan
        for side in "rl":
            row: Row = {"capture": capture.name, "side": side}
            for column in FIGURES:
                for how in ("static", "motion"):
                    row[f"{column} {how}"] = found[how, side, column]
            rows.append(row)
            print(row, flush=True)
    return rows


def effect_page(rows: Sequence[Row]) -> str:
    """Return a table of results with and without the static trial."""
    head = ["capture, side", *(f"{f}: static / motion" for f in FIGURES.values())]
    out = [
        [f"{r['capture']} {r['side']}",
         *(f"{float(r[f'{c} static']):.2f} / {float(r[f'{c} motion']):.2f}" for c in FIGURES)]
        for r in rows
    ]  # fmt: skip
    return table(head, out)


def from_keypoints(wanted: Callable[[str], bool]) -> list[Row]:
    """Return lengths from made-up key points (`keypoint_robustness`), deviations in %."""
    rows: list[Row] = []
    for capture in captures():
        if capture.name not in KEYPOINTS or not wanted(capture.name):
            continue
        person = Subject(capture.mass, capture.height, capture.sex)
        recorded = read_trial(capture.trial, "none")
        full = keypoints.analysed(recorded, capture.static, person, SECONDS)
        for which in DETECTORS:
            points = keypoints.virtual_points(full, which)
            for sd in NOISES_MM:
                seed = keypoints.seed_of(f"{capture.name} {which} {sd}")
                noisy = Trial(capture.name, keypoints.disturbed(points, sd / 1e3, seed))
                seen = keypoints.analysed(noisy, None, person)
                row: Row = {"capture": capture.name, "set": which, "noise_mm": sd}
                for name in SEGMENTS[:7]:
                    true = full.fitted.lengths[name].value
                    row[name] = 100.0 * (seen.fitted.lengths[name].value / true - 1.0)
                rows.append(row)
                print(row, flush=True)
    return rows


def keypoint_page(rows: Sequence[Row]) -> str:
    """Return deviations by detector and noise: median (largest), %."""
    out = []
    for which in DETECTORS:
        for sd in NOISES_MM:
            mine = [r for r in rows if (r["set"], r["noise_mm"]) == (which, sd)]
            if not mine:
                continue
            cells = []
            for stem in ("thigh", "shank", "foot", "pelvis"):
                v = [abs(r[n]) for r in mine for n in SEGMENTS[:7] if n.startswith(stem)]
                cells.append(f"{np.median(v):.1f} ({max(v):.1f})")
            out.append([which, f"{sd:.0f}", len(mine), *cells])
    return table(
        ["set", "noise, mm", "trials", "thighs", "shanks", "feet", "pelvis width"], out
    )


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows of equal or growing columns."""
    columns = list(dict.fromkeys(c for row in rows for c in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {c: f"{v:.3f}" if isinstance(v, float) else v for c, v in row.items()}
            )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", help="part of a capture's name; repeatable")
    parser.add_argument("--effects", action="store_true", help="loads of a few trials instead")
    parser.add_argument("--keypoints", action="store_true", help="key points instead")
    parser.add_argument("--write", action="store_true", help=f"put tables into {PAGE.name}")
    options = parser.parse_args()

    def wanted(name: str) -> bool:
        return not options.only or any(part in name for part in options.only)

    if options.effects:
        rows, page, block = effects(wanted), effect_page, "effects"
        file = PAGE.with_name("scaling_effects.csv")
    elif options.keypoints:
        rows, page, block = from_keypoints(wanted), keypoint_page, "keypoints"
        file = PAGE.with_name("scaling_keypoints.csv")
    else:
        rows, page, block = sizes(wanted), size_page, "sizes"
        file = PAGE.with_suffix(".csv")
    if not rows:
        raise SystemExit("No capture of that name in ../shared/data.")
    print(page(rows))
    if options.write:
        write_rows(file, rows)
        replace_block(PAGE, block, page(rows))


if __name__ == "__main__":
    main()
