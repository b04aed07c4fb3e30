"""The plain report: one self-contained page with the figures and curves of one analysis.

No script, no font and no picture from elsewhere: the page can be mailed and opened
anywhere. Curves are normalised to stance and drawn as the median stride with the band
from the 10th to the 90th percentile.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..results.summary import BOTH_SIDES
from ..vocabulary import GRAVITY, SIDES, Array, Side

if TYPE_CHECKING:
    from ..loads.types import KneeLoads
    from ..results.folder import Results, StrideRow

SIDE_NAMES: dict[str, str] = {"r": "Right", "l": "Left"}
STANCE = np.linspace(0.0, 100.0, 101)
"""Percent of stance at which curves are compared."""

# Two colours that stay apart for colour-blind readers and in grey print.
_COLOURS = {"medial": "#b2432f", "lateral": "#2b6c9e"}

_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ trial }}: knee loads</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .8rem .25rem 0; text-align: right; }
th:first-child, td:first-child { text-align: left; }
td.text { text-align: left; }
.look { color: #8a5a00; } .fail { color: #a11; font-weight: 600; }
.note { color: #555; } svg { max-width: 100%; height: auto; }
</style></head><body>
<h1>{{ trial }}</h1>
{% if simulated %}<p class="fail">Simulated: this motion was changed,
not captured.</p>{% endif %}
<p>{{ subject.mass_kg }} kg, {{ subject.height_m }} m.
{{ frames }} frames at {{ recording.rate_hz|round(1) }} Hz. Ground forces: {{ forces }}.
{% if marker_error.rms_mm is not none %}Marker error
{{ marker_error.rms_mm|round(1) }} mm rms.{% endif %}</p>
{% if warnings %}<h2>Read this first</h2>
<ul>{% for warning in warnings %}<li>{{ warning }}</li>{% endfor %}</ul>{% endif %}
{% if curves %}<h2>Medial and lateral knee load</h2>
{{ curves }}
<p class="note">{{ caption }}</p>
{% elif forces == "none" %}<p>Without ground forces there are joint angles
and no knee loads.</p>{% endif %}
<h2>Figures per side</h2>
{% if rows %}<table><tr><th>Figure</th>
{% for side in sides %}<th>{{ side.title }}: median</th><th>10th to 90th percentile</th>
{% endfor %}</tr>
{% for row in rows %}<tr><td>{{ row.name }}</td>
{% for cell in row.cells %}<td>{{ cell.median }}</td><td>{{ cell.interval }}</td>{% endfor %}
</tr>{% endfor %}</table>
<p class="note">{% for side in sides %}{{ side.title }}: {{ side.units }}. {% endfor %}
The interval tells how much the strides differ, not how far the model may be off.</p>
{% else %}<p>No stride was found to take figures over.</p>{% endif %}
{% if checks %}<h2>Self-check</h2>
<table><tr><th>Check</th><th>Verdict</th><th>Value</th><th>Limit</th><th></th></tr>
{% for check in checks %}<tr><td>{{ check.name }}</td>
<td class="{{ check.verdict }}">{{ check.verdict }}</td>
<td>{{ check.value|figure }}</td><td>{{ check.limit|figure }}</td>
<td class="text">{{ check.sentence }}</td></tr>{% endfor %}</table>{% endif %}
<h2>How it was computed</h2>
<table>{% for name, value in settings.items() %}<tr><td>{{ name }}</td>
<td>{{ value }}</td></tr>{% endfor %}</table>
<p class="note">{% for name, version in software.items() %}{{ name }} {{ version }}{{
"" if loop.last else ", " }}{% endfor %}.
Not a medical device: estimates of a model, for study and discussion.</p>
</body></html>
"""


def render_page(results: Results, summary: Mapping[str, Any]) -> str:
    """Return the report as one HTML text.

    Parameters
    ----------
    results : Results
    summary : mapping, as `results.summary.build_summary` returns it
    """
    from jinja2 import Environment
    from markupsafe import Markup

    environment = Environment(autoescape=True)
    environment.filters["figure"] = _figure
    curves, caption = "", ""
    if results.knee is not None:
        svg, caption = _curves(results.knee, results.strides, results.subject.mass)
        curves = Markup(svg)
    return environment.from_string(_TEMPLATE).render(
        {
            **summary,
            "curves": curves,
            "caption": caption,
            "rows": _rows(summary["sides"]),
            "sides": [
                {"title": SIDE_NAMES[side], "units": _units(summary["sides"][side])}
                for side in SIDES
            ],
        }
    )


def stance_windows(rows: tuple[StrideRow, ...], side: Side) -> list[tuple[float, float]]:
    """Return start and end (s) of every stance of one side, from the stride rows.

    A whole stride's stance is its contact time from its start. Where there is no whole
    stride, the other rows count with all they cover.
    """
    of_side = [row for row in rows if row.get("side") in (side, *BOTH_SIDES)]
    whole = [row for row in of_side if row.get("kind") == "stride"]
    windows = []
    for row in whole or of_side:
        start, end, contact = (_float(row.get(k)) for k in ("start_s", "end_s", "contact_s"))
        stop = start + contact if np.isfinite(contact) and contact > 0 else end
        if np.isfinite(start) and np.isfinite(stop) and stop > start:
            windows.append((start, stop))
    return windows


def normalise(time: Array, values: Array, windows: list[tuple[float, float]]) -> Array:
    """Resample values (T,) to percent of each window.

    Returns
    -------
    (W, 101) array; a window that leaves the recording or meets a masked frame is NaN there.
    """
    grid = np.array([a + (b - a) * STANCE / 100.0 for a, b in windows]).reshape(-1, 101)
    return np.asarray(np.interp(grid, time, values, left=np.nan, right=np.nan))


def _curves(knee: KneeLoads, rows: tuple[StrideRow, ...], mass: float) -> tuple[str, str]:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    weight = mass * GRAVITY
    # A fixed salt and no date: the same results give the same page.
    shown = {side: stance_windows(rows, side) for side in SIDES}
    by_stance = any(shown.values())
    with matplotlib.rc_context(
        {"svg.hashsalt": "kneestride", "svg.fonttype": "none", "font.size": 11}
    ):
        figure = Figure(figsize=(9.0, 3.6), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots(1, 2, sharey=True)
        for i, side in enumerate(SIDES):
            for name, colour in _COLOURS.items():
                values = getattr(knee, name)[:, i] / weight
                if not by_stance:
                    axes[i].plot(knee.time, values, color=colour, label=name)
                    continue
                stances = normalise(knee.time, values, shown[side])
                stances = stances[np.isfinite(stances).any(axis=1)]
                if len(stances):
                    seen = np.isfinite(stances).any(axis=0)
                    at = STANCE[seen]
                    low, middle, high = np.nanpercentile(stances[:, seen], [10, 50, 90], axis=0)
                    axes[i].fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
                    axes[i].plot(at, middle, color=colour, label=name)
            axes[i].set_title(SIDE_NAMES[side])
            axes[i].set_xlabel("% of stance" if by_stance else "time (s)")
            axes[i].spines[["top", "right"]].set_visible(False)
            if axes[i].lines:
                axes[i].legend(frameon=False)
        axes[0].set_ylabel("compression (body weights)")
        axes[0].set_ylim(bottom=0.0)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    counts = ", ".join(f"{SIDE_NAMES[s].lower()} {len(shown[s])}" for s in SIDES)
    caption = (
        f"Median stance and 10th to 90th percentile ({counts} stances)."
        if by_stance
        else "Over the whole recording: it holds no stride."
    )
    return svg[svg.index("<svg") :], caption


def _rows(sides: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for side in SIDES for name in sides[side]["figures"])
    rows = []
    for name in names:
        cells = []
        for side in SIDES:
            figure = sides[side]["figures"].get(name)
            cells.append(
                {"median": "", "interval": ""}
                if figure is None
                else {
                    "median": _figure(figure["median"]),
                    "interval": f"{_figure(figure['low'])} to {_figure(figure['high'])}",
                }
            )
        rows.append({"name": name, "cells": cells})
    return rows


def _units(side: Mapping[str, Any]) -> str:
    counts = [f"{count} {kind or 'rows'}" for kind, count in side["units"].items()]
    masked = side["masked_share"]
    share = f", {100 * masked:.1f} % of frames masked" if masked else ""
    return (", ".join(counts) or "no strides") + share


def _figure(value: float | None) -> str:
    """Return a figure with three significant digits, whole from 1000 on."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _float(value: object) -> float:
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value)
    return float("nan")
