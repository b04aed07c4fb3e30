"""A comparison as pictures and as one page that can be mailed and opened anywhere.

One figure a quantity: both legs side by side, a line a condition, a band of one standard
deviation over the strides, and a bar under the axis where the curve test says that the
curves differ from the first condition's.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..results.compare import Comparison, Condition, Difference, band
from ..vocabulary import SIDES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE_NAMES = {"r": "right", "l": "left"}
PLOTTED = (
    *("medial_N", "lateral_N", "total_N", "adduction_moment_Nm", "flexion_moment_Nm"),
    *("patellofemoral_N", "knee_angle_deg", "hip_adduction_deg", "hip_rotation_deg"),
    *("ankle_angle_deg", "itb_strain_percent", "tibialis_posterior_N", "achilles_N"),
)
HEADLINES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("medial_N", ("peak", "early_peak", "late_peak", "impulse")),
    ("lateral_N", ("peak", "early_peak", "late_peak", "impulse")),
    ("total_N", ("peak", "impulse")),
    ("adduction_moment_Nm", ("peak", "early_peak", "late_peak", "impulse")),
    ("patellofemoral_N", ("peak",)),
    ("itb_strain_percent", ("peak",)),
    ("tibialis_posterior_N", ("peak",)),
    ("projection_angle_mid_deg", ("value",)),
    ("step_width_mm", ("value",)),
    ("foot_progression_angle_mid_deg", ("value",)),
    ("hip_adduction_deg", ("peak",)),
    ("gluteal_share_percent", ("value",)),
    ("quadriceps_share_percent", ("value",)),
    ("calf_share_percent", ("value",)),
    ("push_off_ankle_work_J_per_kg", ("value",)),
    ("vertical_oscillation_mm", ("value",)),
    ("leg_stiffness_kN_per_m", ("value",)),
)
"""What the page's first table shows of each pair, where both have it."""

# Okabe and Ito's colours, which stay apart for colour-blind readers.
_COLOURS = ("#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DASHES = ("-", "--", "-.", ":")
_X_LABEL = {"stride": "% of stride", "stance": "% of stance"}

_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Comparison: {{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 64rem;
       margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .8rem .25rem 0; text-align: right; }
th:first-child, td:first-child, td.text { text-align: left; }
tr.distinct td { font-weight: 600; } .note { color: #555; } .fail { color: #a11; }
svg { max-width: 100%; height: auto; }
</style></head><body>
<h1>{{ title }}</h1>
{% if simulated %}<p class="fail">Simulated, not captured: {{ simulated|join(", ") }}.</p>
{% endif %}
{% if notes %}<h2>Read this first</h2>
<ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>{% endif %}
<h2>What changed</h2>
<p class="note">Change = second minus first, with its 95 % interval. Bold: the interval
leaves out zero. comparison.csv holds every quantity.</p>
{% for pair in pairs %}<h3>{{ pair.title }}</h3>
<table><tr><th>Quantity</th><th>First</th><th>Second</th><th>Change</th><th>95 % interval</th>
<th>Strides</th></tr>
{% for row in pair.rows %}<tr{% if row.distinct %} class="distinct"{% endif %}>
<td>{{ row.name }}</td><td>{{ row.first }}</td><td>{{ row.second }}</td>
<td>{{ row.change }}</td><td>{{ row.low }} to {{ row.high }}</td>
<td>{{ row.strides }}</td></tr>{% endfor %}</table>
{% endfor %}
<h2>Curves</h2>
<p class="note">Mean and one standard deviation over the strides. Bars under the curves:
where the curve test (statistical parametric mapping, 5 %) tells them from the first.</p>
{% for svg in plots %}{{ svg }}{% endfor %}
{% if advice %}<h2>For retraining: education, not a prescription</h2>
<p class="note">{{ preface }}</p>
<table><tr><th>Seen in {{ advised }}</th><th>Figure</th><th>Limit</th><th>Cue</th>
<th>Watch</th><th>Exercise groups</th></tr>
{% for a in advice %}<tr><td>{{ a.leg }}: {{ a.text }}</td>
<td>{{ a.value }} ({{ a.share }})</td><td>{{ a.limit }}</td>
<td class="text">{{ a.cue }}</td><td class="text">{{ a.targets }}</td>
<td class="text">{{ a.exercises }}</td></tr>{% endfor %}</table>{% endif %}
<p class="note">Not a medical device: estimates of a model, for study and discussion.</p>
</body></html>
"""


def draw(
    quantity: str, conditions: Sequence[Condition], comparisons: Sequence[Comparison]
) -> Figure:
    """Draw the curves of one quantity, a panel a leg.

    Parameters
    ----------
    quantity : str
    conditions : those that have it are drawn
    comparisons : whose clusters are marked under the curves
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(c.name for c in conditions))
    percent = np.linspace(0.0, 100.0, 101)
    for ax, side in zip(axes, SIDES, strict=True):
        for one in (c for c in conditions if c.side == side and quantity in c.curves):
            mean, low, high = band(one.curves[quantity])
            if np.isnan(mean).all():
                continue
            k = names.index(one.name)
            colour, dash = _COLOURS[k % len(_COLOURS)], _DASHES[k % len(_DASHES)]
            ax.fill_between(percent, low, high, color=colour, alpha=0.15, linewidth=0)
            label = one.name + (" (simulated)" if one.simulated else "")
            ax.plot(percent, mean, dash, color=colour, label=label)
        _mark_clusters(ax, quantity, side, comparisons, names)
        ax.set_title(SIDE_NAMES[side])
        ax.set_xlabel(_X_LABEL.get(conditions[0].window, "% of the movement"))
        ax.spines[["top", "right"]].set_visible(False)
    # One list of names for both panels: the leg that has most of them.
    fullest = max(axes, key=lambda ax: len(ax.lines))
    if fullest.get_legend_handles_labels()[0]:
        fullest.legend(frameon=False, fontsize=9)
    axes[0].set_ylabel(label_of(quantity))
    return figure


def _mark_clusters(
    ax: object, quantity: str, side: str, comparisons: Sequence[Comparison], names: list[str]
) -> None:
    row = 0
    for pair in comparisons:
        if not pair.first.side == pair.second.side == side or quantity not in pair.tests:
            continue
        colour = _COLOURS[names.index(pair.second.name) % len(_COLOURS)]
        for cluster in pair.tests[quantity].clusters:
            span = [cluster.start / 100.0, cluster.end / 100.0]
            place = ax.transAxes  # type: ignore[attr-defined]
            height = -0.015 - 0.02 * row
            ax.plot(  # type: ignore[attr-defined]
                span, [height] * 2, color=colour, lw=3, transform=place, clip_on=False
            )
        row += 1


def svg_and_png(figure: Figure) -> tuple[str, bytes]:
    """A figure as SVG text and PNG bytes, the same for the same figures."""
    import matplotlib

    # Without a salt of its own and a date the same results would give other files.
    with matplotlib.rc_context({"svg.hashsalt": "kneestride", "svg.fonttype": "none"}):
        text, raster = io.StringIO(), io.BytesIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        figure.savefig(raster, format="png", dpi=150, metadata={"Software": None})
    return text.getvalue(), raster.getvalue()


def label_of(quantity: str) -> str:
    """`medial_N` as a person reads it: 'medial (N)'."""
    units = {
        **{"N": "N", "Nm": "N·m", "BW": "body weights", "MPa": "MPa", "deg": "°", "mm": "mm"},
        **{"percent": "%", "percent_per_s": "%/s", "BW_per_s": "BW/s", "g": "g", "ratio": "1"},
        **{"m": "m", "m_s": "m/s", "per_min": "per min", "J_per_kg": "J/kg"},
        **{"W_per_kg": "W/kg", "kN_per_m": "kN/m", "Nms_per_kg": "N·m·s/kg"},
    }
    for unit in sorted(units, key=len, reverse=True):
        if quantity.endswith(f"_{unit}"):
            return f"{quantity.removesuffix(f'_{unit}').replace('_', ' ')} ({units[unit]})"
    return quantity.replace("_", " ")


def headline_rows(comparison: Comparison) -> list[Difference]:
    """The differences that the page's table shows, in its order."""
    found = {(d.quantity, d.measure): d for d in comparison.differences}
    return [found[q, m] for q, ms in HEADLINES for m in ms if (q, m) in found]


def pair_title(comparison: Comparison) -> str:
    """'second against first, leg', or the legs when it is they that are compared."""
    one, two = comparison.first, comparison.second
    if one.side == two.side:
        return f"{two.name} against {one.name}, {SIDE_NAMES[one.side]} leg"
    return f"{one.name}: {SIDE_NAMES[two.side]} against {SIDE_NAMES[one.side]} leg"


def render_comparison(
    title: str,
    comparisons: Sequence[Comparison],
    plots: Sequence[str],
    notes: Sequence[str],
    advice: Sequence[Mapping[str, str]] = (),
    preface: str = "",
    advised: str = "",
) -> str:
    """Return the page as one HTML text.

    Parameters
    ----------
    title : str
    comparisons : sequence of Comparison
    plots : SVG texts
    notes : what a reader has to know first
    advice : rows of the retraining table; preface: what goes before it; advised: of whom
    """
    from jinja2 import Environment
    from markupsafe import Markup

    simulated = dict.fromkeys(
        c.name for pair in comparisons for c in (pair.first, pair.second) if c.simulated
    )
    return (
        Environment(autoescape=True)
        .from_string(_TEMPLATE)
        .render(
            title=title,
            simulated=list(simulated),
            notes=notes,
            pairs=[
                {"title": pair_title(c), "rows": [_row(d) for d in headline_rows(c)]}
                for c in comparisons
            ],
            plots=[Markup(svg[svg.index("<svg") :]) for svg in plots],
            advice=advice,
            preface=preface,
            advised=advised,
        )
    )


def _row(d: Difference) -> dict[str, object]:
    unit = " x s" if d.measure == "impulse" else ""
    measure = "" if d.measure == "value" else f", {d.measure.replace('_', ' ')}{unit}"
    a, b = d.strides
    return {
        "name": label_of(d.quantity) + measure,
        "first": number(float(d.first.value)),
        "second": number(float(d.second.value)),
        "change": number(float(d.change.value)),
        "low": number(float(d.change.low)),
        "high": number(float(d.change.high)),
        "strides": str(a) if a == b else f"{a}, {b}",
        "distinct": d.distinct,
    }


def number(value: float) -> str:
    """Three significant digits, whole from 100 on, never '-0'."""
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "0" if float(text) == 0.0 else text
