"""How much medial and lateral force hang on each setting: table, CSV and tornado chart.

    python scripts/validate_sensitivity.py [--write]

One input is changed at a time, by what is uncertain about it, and the knee computed again:
on the walking trial with the implant (the instrumented knee; its RMSE is shown as
information and chooses nothing) and on four seconds of an RBDS runner at 3.5 m/s (both
knees). Peaks in body weights, impulses in body-weight seconds, over whole contacts.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import validation_cases as cases
from doc_blocks import replace_block, table
from kneestride.errors import KneestrideError
from kneestride.loads.types import KneeLoads
from kneestride.vocabulary import SIDES
from validate_in_vivo import beside, read_implant
from validation_changes import Run, changes

PAGE = cases.ROOT / "docs" / "validation.md"
TABLE = cases.ROOT / "docs" / "sensitivity.csv"
CHART = cases.ROOT / "docs" / "pictures" / "sensitivity.png"
SHOWN = 14
"""Settings in the chart and the table of the page; the CSV has all."""
COLUMNS = tuple(f"{c} {what}" for what in ("peak", "impulse") for c in cases.COMPARTMENTS)


@dataclass(frozen=True)
class Effect:
    """What a change did: figures and RMSE (N; empty without an implant) minus the default's."""

    setting: str
    value: str
    figures: dict[str, float]
    rmse: dict[str, float]


def rmse(knee: KneeLoads) -> dict[str, float]:
    """RMSE against the implant as recorded, N."""
    percent, measured = read_implant(beside(cases.gc5().trial, "_etibia.csv"))
    at = (knee.time - knee.time[0]) / (knee.time[-1] - knee.time[0]) * 100.0
    side = SIDES.index("l")
    out = {}
    for c, name in enumerate(cases.COMPARTMENTS):
        error = getattr(knee, name)[:, side] - np.interp(at, percent, measured[:, c])
        out[name] = float(np.sqrt(np.nanmean(error**2)))
    return out


class Notebook:
    """What has been measured already, in a file, so that a stopped study goes on.

    Parameters
    ----------
    path : Path of a JSON file, or None to keep nothing
    seconds : float, time after which no new change is begun
    """

    def __init__(self, path: Path | None, seconds: float) -> None:
        self.path, self.until = path, clock.perf_counter() + seconds
        known = path is not None and path.is_file()
        self.found: dict[str, dict[str, dict[str, float]]] = (
            json.loads(cast(Path, path).read_text(encoding="utf-8")) if known else {}
        )

    def effect(
        self, capture: str, setting: str, value: str, measure: Callable[[], Effect]
    ) -> Effect:
        """Look an effect up, or measure it and write it down."""
        key = f"{capture} | {setting} | {value}"
        if key not in self.found:
            if clock.perf_counter() > self.until:
                raise SystemExit(f"Stopped before {key}; run the same command to go on.")
            new = measure()
            self.found[key] = {"figures": new.figures, "rmse": new.rmse}
            if self.path is not None:
                self.path.write_text(json.dumps(self.found, indent=1), encoding="utf-8")
            print(key, flush=True)
        known = self.found[key]
        return Effect(setting, value, known["figures"], known["rmse"])


def study(
    capture: cases.Capture, sides: tuple[int, ...], implant: bool, notes: Notebook
) -> list[Effect]:
    """The default and every change of it, one capture; the first effect is the default."""
    case = cases.prepare(capture)

    def default() -> Effect:
        knee = case.loads().knee
        return Effect(
            "default", "", cases.figures(case, knee, sides), rmse(knee) if implant else {}
        )

    zero = notes.effect(capture.name, "default", "", default)
    found = [zero]
    for change in changes(case):
        for name, run in ((change.low_name, change.low), (change.high_name, change.high)):
            if run is None:
                continue

            def changed(
                setting: str = change.setting, name: str = name, run: Run = run
            ) -> Effect:
                other, knee = run()
                here = cases.figures(other, knee, sides)
                return Effect(
                    setting,
                    name,
                    {k: here[k] - zero.figures[k] for k in COLUMNS},
                    {k: v - zero.rmse[k] for k, v in rmse(knee).items()} if implant else {},
                )

            found.append(notes.effect(capture.name, change.setting, name, changed))
    return found


def write_csv(path: Path, found: dict[str, list[Effect]]) -> None:
    """All changes of all captures."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            [
                "capture", "setting", "value",
                *(c.replace(' ', '_') + ('_BWs' if 'impulse' in c else '_BW') for c in COLUMNS),
                *(f"implant_rmse_{c}_N" for c in cases.COMPARTMENTS),
            ]
        )  # fmt: skip
        for capture, effects in found.items():
            for e in effects:
                rows.writerow(
                    [
                        capture, e.setting, e.value,
                        *(f"{e.figures[c]:.4f}" for c in COLUMNS),
                        *(f"{e.rmse[c]:.1f}" if e.rmse else "" for c in cases.COMPARTMENTS),
                    ]
                )  # fmt: skip


def ranked(effects: list[Effect], figures: tuple[str, ...]) -> list[str]:
    """Settings by the largest change they make to any of the figures."""
    size: dict[str, float] = {}
    for e in effects[1:]:
        here = max(abs(e.figures[f]) for f in figures)
        size[e.setting] = max(size.get(e.setting, 0.0), here)
    return sorted(size, key=lambda name: -size[name])


def chart(path: Path, found: dict[str, list[Effect]]) -> None:
    """Bars of what each setting does to the peaks, largest on top; a column per capture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams["svg.hashsalt"] = "kneestride"
    shown = {"medial peak": "#2a6f97", "lateral peak": "#e07a1f"}
    light = ("#9cc5dd", "#f4c79b")
    figure, axes = pyplot.subplots(1, len(found), figsize=(12.5, 7.6), squeeze=False)
    for axis, (capture, effects) in zip(axes[0], found.items(), strict=True):
        order = ranked(effects, tuple(shown))[:SHOWN][::-1]
        base = effects[0].figures
        for y, setting in enumerate(order):
            mine = [e for e in effects if e.setting == setting]
            for k, (name, colour) in enumerate(shown.items()):
                at = y + (0.2 if k == 0 else -0.2)
                # The larger one first, so that the smaller stays visible on top of it.
                for e in sorted(mine, key=lambda e: -abs(e.figures[name])):
                    first = e is mine[0]
                    axis.barh(
                        at, e.figures[name], height=0.34, color=colour if first else light[k],
                        label=name if y == 0 and first else None,
                    )  # fmt: skip
            words = " / ".join(e.value for e in mine)
            axis.text(
                -0.02, y, f"{setting}\n{words}", ha="right", va="center", fontsize=8.5,
                transform=axis.get_yaxis_transform(),
            )  # fmt: skip
        axis.axvline(0.0, color="black", linewidth=0.8)
        axis.set_yticks([])
        axis.set_xlabel("change of the peak, body weights")
        axis.set_title(
            f"{capture}\nmedial peak {base['medial peak']:.1f}, lateral "
            f"{base['lateral peak']:.1f} body weights",
            fontsize=11,
        )
        axis.grid(axis="x", alpha=0.3)
        for spine in ("top", "right", "left"):
            axis.spines[spine].set_visible(False)
    axes[0][0].legend(loc="lower right", fontsize=9)
    figure.suptitle(
        "How much the knee's peaks hang on each setting\n"
        "dark: the first value named, light: the second",
        fontsize=13,
    )
    figure.tight_layout()
    figure.subplots_adjust(wspace=0.75)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def report(found: dict[str, list[Effect]]) -> str:
    """Tables of the page: a capture each."""
    parts = ["![Tornado chart of the peaks](pictures/sensitivity.png)"]
    for capture, effects in found.items():
        base = effects[0]
        head = ["setting", "medial peak", "lateral peak", "medial impulse", "lateral impulse"]
        names = ("medial peak", "lateral peak", "medial impulse", "lateral impulse")
        rows = [[f"**{capture}**, as it is", *(f"**{base.figures[n]:.2f}**" for n in names)]]
        if base.rmse:
            head.append("implant RMSE m / l / t, N")
            rows[0].append(" / ".join(f"**{v:.0f}**" for v in base.rmse.values()))
        for setting in ranked(effects, names[:2]):
            for e in (e for e in effects if e.setting == setting):
                row = [f"{setting}: {e.value}", *(f"{e.figures[n]:+.2f}" for n in names)]
                if e.rmse:
                    row.append(" / ".join(f"{v:+.0f}" for v in e.rmse.values()))
                rows.append(row)
        parts.append(table(head, rows))
    parts.append(
        "Peaks in body weights, impulses in body-weight seconds, changes against the first "
        "row. All figures, total force included: [sensitivity.csv](sensitivity.csv). The "
        "implant columns are information; nothing is chosen by them."
    )
    return "\n\n".join(parts)


def main(arguments: list[str] | None = None) -> None:
    """Run the study and print its tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="table, chart and page in docs/")
    parser.add_argument("--resume", type=Path, help="JSON file that remembers what is done")
    parser.add_argument("--seconds", type=float, default=np.inf, help="stop after this time")
    options = parser.parse_args(arguments)
    notes = Notebook(options.resume, options.seconds)
    found = {}
    for capture, sides, implant in (
        (cases.gc5(), (SIDES.index("l"),), True),
        (cases.rbds(), (0, 1), False),
    ):
        found[capture.name] = study(capture, sides, implant, notes)
    text = report(found)
    print(text)
    if options.write:
        write_csv(TABLE, found)
        chart(CHART, found)
        replace_block(PAGE, "sensitivity", text)


if __name__ == "__main__":
    try:
        main()
    except KneestrideError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
