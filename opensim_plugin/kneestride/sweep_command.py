"""`kneestride sweep`: a dose-response of several strides as a folder.

    sweep.csv      a row a variant, stride, dose, leg and load
    sweep.png      median over the strides against dose, with their middle half
    summary.json   what was asked, which doses were solved, the interpolation's error
    log.txt        the same in words

Doses between the solved ones are interpolated. How far off that may be is told by leaving
each solved dose out in turn: `interpolation_error` of a row, and the largest of each load
as a share of its peak in the summary, on the picture and on the terminal.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import SettingsError
from .results.replace import MARK, replace_folder
from .simulation.variants import DEFAULT_DOSE, LARGEST, UNIT, variant
from .vocabulary import SIDES, Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .results.folder import Results
    from .simulate import DoseResponse

Progress = Callable[[str, float], None]

SWEPT = ("valgus", "knee-out", "crossover")
"""Variants that have a dose."""
MOST_DOSES = 1000
LOADS = {
    "medial": "N",
    "lateral": "N",
    "total": "N",
    "adduction_moment": "Nm",
    "patellofemoral": "N",
}
"""Loads of `simulate.PEAKS` and their unit."""
PICTURED = ("medial", "lateral", "adduction_moment")
COLUMNS = (
    "variant", "dose", "dose_unit", "stride", "start_s", "side", "load", "unit", "peak",
    "impulse", "solved", "interpolation_error", "projection_angle_mid_deg", "step_width_mm",
)  # fmt: skip
_SIDE_NAMES = {"r": "right", "l": "left"}
# Okabe and Ito's colours, which stay apart for colour-blind readers.
_COLOURS = {"r": "#d55e00", "l": "#0072b2"}


@dataclass(frozen=True)
class Sweep:
    """A dose-response of one recording.

    Attributes
    ----------
    trial : str
    starts : (K,) s, where the strides begin
    found : variant → a DoseResponse a stride
    """

    trial: str
    starts: tuple[float, ...]
    found: Mapping[str, Sequence[DoseResponse]]

    def errors(self) -> dict[str, dict[str, float]]:
        """Variant → load → interpolation error, the largest, as a share of its peak.

        The peak is the largest of that stride and leg over all doses. A load that is no
        peak worth the name (a moment that stays below 1 N·m) has no share.
        """
        out: dict[str, dict[str, float]] = {}
        for name, strides in self.found.items():
            out[name] = {}
            for load in LOADS:
                shares = [
                    one.error[load][s] / top
                    for one in strides
                    for s in range(len(SIDES))
                    if (top := np.abs(one.peaks[load][:, s]).max()) > 1.0
                ]
                told = [float(share) for share in shares if np.isfinite(share)]
                out[name][load] = max(told, default=float("nan"))
        return out

    def lines(self) -> list[str]:
        """What a person wants to read when the work is done."""
        lines = [f"{self.trial}: {len(self.starts)} strides."]
        for name, errors in self.errors().items():
            strides = self.found[name]
            first = strides[0]
            lines.append(
                f"  {name}: {len(first.doses)} doses from {first.doses.min():g} to "
                f"{first.doses.max():g} {UNIT_OF[name]}, {len(first.solved)} of them solved."
            )
            for side in SIDES:
                for load in PICTURED:
                    s = SIDES.index(side)
                    middle = np.median([one.peaks[load][:, s] for one in strides], axis=0)
                    low, high = middle[first.doses.argmin()], middle[first.doses.argmax()]
                    lines.append(
                        f"    {_words(load)} peak, {_SIDE_NAMES[side]}: {low:.0f} to "
                        f"{high:.0f} {LOADS[load]} (median of the strides)"
                    )
            if len(first.solved) < len(np.unique(first.doses)):
                told = ", ".join(f"{_words(n)} {100 * e:.1f} %" for n, e in errors.items())
                lines.append(f"    interpolation is off by at most, of the peak: {told}")
        return lines


UNIT_OF: dict[str, str] = {str(name): unit for name, unit in UNIT.items()}


def parse_doses(texts: Sequence[str]) -> dict[str, Array]:
    """Return what `--variant NAME=FROM:TO:COUNT` (or NAME=DOSE,DOSE,...) asks for.

    Raises
    ------
    SettingsError
        An unknown variant, doses that are no figures, out of range, or the same name twice.
    """
    out: dict[str, Array] = {}
    for text in texts:
        name, equals, asked = (part.strip() for part in text.partition("="))
        if name not in SWEPT:
            raise SettingsError(
                "a variant that has doses", f"'{name}'", "correct --variant", SWEPT
            )
        if name in out:
            raise SettingsError(
                "each variant once", f"--variant {name} twice", "put its doses into one of them"
            )
        doses = _doses(asked) if equals else None
        if doses is None:
            raise SettingsError(
                "--variant NAME=FROM:TO:COUNT or NAME=DOSE,DOSE,...",
                f"'{text}'",
                f"write for example {name}=0:{DEFAULT_DOSE[name]:g}:21",  # type: ignore[index]
            )
        if len(np.unique(doses)) < 2 or len(doses) > MOST_DOSES:
            raise SettingsError(
                f"2 to {MOST_DOSES} different doses of {name}",
                f"{len(np.unique(doses))} in '{text}'",
                "one dose alone is what kneestride simulate takes",
            )
        for dose in doses:
            variant(name, float(dose))
        out[name] = doses
    return out


def default_doses() -> dict[str, Array]:
    """Doses where none are named: 21 each, up to one and a half times `simulate`'s own."""
    return {
        name: np.linspace(0.0, min(1.5 * dose, LARGEST[name]), 21)
        for name, dose in DEFAULT_DOSE.items()
        if name in SWEPT
    }


def _doses(text: str) -> Array | None:
    parts = text.split(":")
    try:
        if len(parts) == 3 and parts[2].strip().isdigit():
            count = min(int(parts[2]), MOST_DOSES + 1)
            found = np.linspace(float(parts[0]), float(parts[1]), count)
        elif len(parts) == 1:
            found = np.array([float(p) for p in text.split(",")])
        else:
            return None
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def check_counts(strides: int, solve: int) -> None:
    """Raise where fewer than one stride or three solved doses are asked for."""
    if strides < 1:
        raise SettingsError("at least one stride", f"{strides}", "correct --strides")
    if solve < 3:
        raise SettingsError(
            "at least 3 solved doses, so that one can be left out as a check",
            f"{solve}",
            "correct --solve",
        )


def run_sweep(
    results: Results | Path,
    doses: Mapping[str, Array],
    strides: int = 10,
    solve: int = 7,
    progress: Progress | None = None,
) -> Sweep:
    """Sweep doses over strides of a recording; see `kneestride.sweep.dose_sweep`."""
    from .results.folder import read_results
    from .sweep import dose_sweep, stride_starts

    source = read_results(Path(results)) if isinstance(results, str | Path) else results
    wanted = {name: [float(d) for d in of] for name, of in doses.items()}
    found = dose_sweep(source, wanted, strides, solve, progress)
    return Sweep(source.trial, tuple(stride_starts(source, strides)), found)


def sweep_csv(found: Sweep) -> str:
    """Return `sweep.csv`: tidy, a row a variant, stride, dose, leg and load."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, strides in found.found.items():
        for number, (start, one) in enumerate(zip(found.starts, strides, strict=True), 1):
            for k, dose in enumerate(one.doses):
                solved = bool(np.isin(dose, one.solved))
                for s, side in enumerate(SIDES):
                    angle, width = (
                        one.measured[m][k, s]
                        for m in ("projection_angle_mid_deg", "step_width_mm")
                    )
                    for load, unit in LOADS.items():
                        error = 0.0 if solved else float(one.error[load][s])
                        figures = (one.peaks[load][k, s], one.impulses[load][k, s])
                        writer.writerow((
                            name, f"{dose:.9g}", UNIT_OF[name], number, f"{start:.9g}", side,
                            load, unit, *(_cell(f) for f in figures), str(solved).lower(),
                            _cell(error), _cell(angle), _cell(width),
                        ))  # fmt: skip
    return text.getvalue()


def _cell(value: float) -> str:
    return f"{float(value) + 0.0:.9g}" if np.isfinite(value) else ""


def summary_of(found: Sweep) -> dict[str, Any]:
    """Return `summary.json`."""
    from .results.summary import SCHEMA_VERSION

    errors = found.errors()
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "sweep",
        "trial": found.trial,
        "simulated": True,
        "strides": len(found.starts),
        "start_s": [round(s, 6) for s in found.starts],
        "variants": {
            name: {
                "unit": UNIT_OF[name],
                "doses": [float(d) for d in strides[0].doses],
                "solved": [float(d) for d in strides[0].solved],
                "interpolation_error_share_of_peak": {
                    load: round(e, 6) if np.isfinite(e) else None
                    for load, e in errors[name].items()
                },
            }
            for name, strides in found.found.items()
        },
    }


def picture(found: Sweep) -> Figure:
    """Peaks against dose: median over the strides and their middle half, both legs."""
    from matplotlib.figure import Figure

    names = list(found.found)
    figure = Figure(
        figsize=(3.6 * len(PICTURED), 2.9 * len(names) + 0.9), dpi=110, layout="constrained"
    )
    axes = figure.subplots(len(names), len(PICTURED), squeeze=False)
    errors = found.errors()
    for line, name in zip(axes, names, strict=True):
        strides = found.found[name]
        order = np.argsort(strides[0].doses)
        doses = strides[0].doses[order]
        for axis, load in zip(line, PICTURED, strict=True):
            for s, side in enumerate(SIDES):
                peaks = np.array([one.peaks[load][order, s] for one in strides])
                low, middle, high = np.percentile(peaks, [25, 50, 75], axis=0)
                axis.fill_between(doses, low, high, color=_COLOURS[side], alpha=0.2, lw=0)
                axis.plot(doses, middle, color=_COLOURS[side], label=f"{_SIDE_NAMES[side]} leg")
                at = np.isin(doses, strides[0].solved)
                axis.plot(doses[at], middle[at], "o", ms=4, color=_COLOURS[side])
            axis.set_title(f"{_words(load)} peak", fontsize=10)
            axis.set_xlabel(f"{name}, {UNIT_OF[name]}")
            axis.set_ylabel({"N": "N", "Nm": "N·m"}[LOADS[load]])
            axis.grid(alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
            if np.isfinite(errors[name][load]) and errors[name][load] > 0:
                told = f"interpolated within {100 * errors[name][load]:.1f} %"
                axis.annotate(
                    told, (0.02, 0.02), xycoords="axes fraction", fontsize=7.5, color="#555555"
                )
    axes[0, 0].legend(frameon=False, fontsize=8)
    count = len(found.starts)
    figure.suptitle(
        f"{found.trial}: knee load against dose, simulated\n"
        f"median of {count} stride{'s' * (count > 1)}, band: middle half of them; "
        "dots: solved doses",
        fontsize=10.5,
    )
    return figure


def write_sweep(target: Path, found: Sweep, overwrite: bool = False) -> Path:
    """Write the folder in one step.

    Raises
    ------
    ResultsError
        See `results.replace.replace_folder`.
    """

    def fill(folder: Path) -> None:
        (folder / "sweep.csv").write_text(sweep_csv(found), encoding="utf-8", newline="\n")
        picture(found).savefig(folder / "sweep.png")
        told = json.dumps(summary_of(found), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / MARK).write_text(told + "\n", encoding="utf-8")
        lines = ["Simulated, not captured.", *found.lines()]
        (folder / "log.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    return replace_folder(target, fill, overwrite)


def _words(load: str) -> str:
    return load.replace("_", " ")
