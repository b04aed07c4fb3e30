"""Sentences whose numbers are the results' and whose words follow the numbers' signs.

A caption is a name such as `knee_in_angle`. What it says is chosen from the text table by
what the results show: `say_knee_in_angle_more` where the second runner's value is larger,
`..._less` where it is smaller, `..._same` where the figures as written are equal and
`..._unclear` where the interval of the difference, if the file holds one, includes zero.
A caption whose figures the results do not hold is not shown; `Said.left_out` tells so.

Figures are those of the stride table (strides.csv) that the scene file carries; a figure
that the table lacks is the largest value of its channel over the stride shown. No Blender.
"""

from dataclasses import dataclass

import numpy as np

from . import texts, timing


@dataclass(frozen=True)
class Figure:
    """Where a figure comes from: stride table column, channel, row of `differences`."""

    column: str = ""
    channel: str = ""
    difference: str = ""
    digits: int = 1
    unit: str = ""


FIGURES = {
    "knee_angle": Figure("projection_angle_mid_deg", unit="deg"),
    "knee_path": Figure("projection_angle_change_deg", unit="deg"),
    "step_width": Figure("step_width_mm", digits=0, unit="mm"),
    "inner": Figure("medial_peak_BW", "medial_force", "medial_N", unit="BW"),
    "outer": Figure("lateral_peak_BW", "lateral_force", "lateral_N", unit="BW"),
    "moment": Figure(
        "adduction_moment_peak_Nm", difference="adduction_moment_Nm", digits=0, unit="Nm"
    ),
    "band": Figure(channel="itb_strain", unit="percent"),
}
"""Figures that sentences and labels may name."""


@dataclass(frozen=True)
class Caption:
    """What a caption compares.

    `kind`: 'plain' (no figure), 'state' (the last runner's figure by its sign), 'change'
    (the last runner against the first) or 'rank' (all runners, largest and smallest).
    """

    kind: str = "plain"
    figure: str = ""


CAPTIONS = {
    "title": Caption(),
    "neutral_is": Caption(),
    "neutral_stands": Caption("state", "knee_angle"),
    "knee_in_moves": Caption("state", "knee_path"),
    "knee_angle": Caption("change", "knee_angle"),
    "moment": Caption("change", "moment"),
    "inner": Caption("change", "inner"),
    "outer": Caption("change", "outer"),
    "steps": Caption("change", "step_width"),
    "band": Caption("change", "band"),
    "rank_inner": Caption("rank", "inner"),
    "rank_outer": Caption("rank", "outer"),
    "rank_moment": Caption("rank", "moment"),
    "estimate": Caption(),
    "simulated": Caption(),
}
"""Every caption a storyboard may name."""

_SAME = 1e-9


@dataclass(frozen=True)
class Said:
    """Sentences of a shot, and the captions whose figures the results do not hold."""

    sentences: tuple
    left_out: tuple


def stride_row(runner, side):
    """Return the row of the stride that is shown of a runner, or an empty mapping."""
    start, _ = timing.representative_stride(runner, side)
    for row in runner.strides:
        if row.get("side") == side and abs(float(row.get("start_s", -1e9)) - start) < 1e-6:
            return row
    return {}


def value_of(scene_data, runner, side, name):
    """Return a runner's figure (see `FIGURES`), or None where the results hold none."""
    figure = FIGURES[name]
    row = stride_row(runner, side)
    if figure.column in row:
        return float(row[figure.column])
    names = [c.name for c in scene_data.channels]
    if figure.channel not in names:
        return None
    start, end = timing.representative_stride(runner, side)
    inside = (runner.time >= start - 1e-9) & (runner.time <= end + 1e-9)
    values = runner.channels[inside, names.index(figure.channel), scene_data.sides.index(side)]
    return float(np.nanmax(values)) if np.isfinite(values).any() else None


def difference_of(scene_data, first, second, side, name):
    """Return the row of `differences` for two runners, either way round, or None."""
    quantity = FIGURES[name].difference
    pairs = ((first.label, second.label), (second.label, first.label))
    for row in scene_data.differences:
        told = row["side"] == side and row["quantity"] == quantity
        if quantity and told and (row["first"], row["second"]) in pairs:
            return row
    return None


def is_clear(scene_data, first, second, side, name):
    """Whether a difference is told from zero; True where the file holds no interval."""
    row = difference_of(scene_data, first, second, side, name)
    return row is None or row["low"] > 0 or row["high"] < 0


def say(scene_data, captions, side="r", language="en"):
    """Return what captions say of the runners of a scene.

    Parameters
    ----------
    scene_data : its runners are those of the shot, in its order
    captions : names from `CAPTIONS`
    side : 'r' or 'l'
    language : of the text table

    Returns
    -------
    Said
    """
    sentences, left_out = [], []
    for name in captions:
        words = _one(scene_data, name, side, language)
        if words is None:
            left_out.append(name)
        else:
            sentences.append(words)
    return Said(tuple(sentences), tuple(left_out))


def name_of(runner, language):
    """Return what a runner is called."""
    return texts.label("variant", runner.label, runner.label, language)


def _one(scene_data, name, side, language):
    caption = CAPTIONS[name]
    runners = scene_data.runners
    if name == "simulated" and not any(r.simulated for r in runners):
        return None
    if caption.kind == "plain":
        return texts.text(f"say_{name}", language)
    values = [value_of(scene_data, r, side, caption.figure) for r in runners]
    digits = FIGURES[caption.figure].digits

    def written(value):
        return texts.figure(value, language, digits)

    if caption.kind == "state":
        if values[-1] is None:
            return None
        sign = _sign(values[-1], digits)
        key = {1: "more", -1: "less", 0: "same"}[sign]
        blanks = {"value": written(abs(values[-1])), "name": name_of(runners[-1], language)}
        return texts.text(f"say_{name}_{key}", language, **blanks)
    if None in values or len(values) < 2:
        return None
    if caption.kind == "rank":
        return _rank(scene_data, name, values, side, language)
    first, last = values[0], values[-1]
    change = round(last, digits) - round(first, digits)
    key = {1: "more", -1: "less", 0: "same"}[_sign(change, digits)]
    if key != "same" and not is_clear(
        scene_data, runners[0], runners[-1], side, caption.figure
    ):
        key = "unclear"
    if name == "steps" and last < 0 <= first:
        key = "crossed"
    blanks = {
        "name": name_of(runners[-1], language),
        "reference": name_of(runners[0], language),
        "first": written(first),
        "second": written(last),
        "change": written(abs(change)),
    }
    return texts.text(f"say_{name}_{key}", language, **blanks)


def _rank(scene_data, name, values, side, language):
    runners, figure = scene_data.runners, CAPTIONS[name].figure
    digits = FIGURES[figure].digits
    top, low = int(np.argmax(values)), int(np.argmin(values))
    clear = _sign(values[top] - values[low], digits) != 0 and is_clear(
        scene_data, runners[low], runners[top], side, figure
    )
    blanks = {
        "most": name_of(runners[top], language),
        "most_value": texts.figure(values[top], language, digits),
        "least": name_of(runners[low], language),
        "least_value": texts.figure(values[low], language, digits),
    }
    return texts.text(f"say_{name}_{'clear' if clear else 'unclear'}", language, **blanks)


def _sign(value, digits):
    rounded = round(value, digits)
    return 0 if abs(rounded) < _SAME else int(np.sign(rounded))


def numbers(scene_data, names, side="r", language="en"):
    """Return the lines of figures below each runner: 'inner side 5.2, outer side 4.8 BW'."""
    out = []
    for runner in scene_data.runners:
        parts = []
        for name in names:
            value = value_of(scene_data, runner, side, name)
            if value is None:
                continue
            figure = FIGURES[name]
            shown = abs(value) if name == "knee_angle" else value
            said = texts.figure(shown, language, figure.digits)
            sign = {1: "more", -1: "less", 0: "same"}[_sign(value, figure.digits)]
            key = (
                f"number_{name}_{sign}"
                if texts.has(f"number_{name}_{sign}")
                else (f"number_{name}")
            )
            parts.append(texts.text(key, language, value=said))
        out.append(texts.text("comma", language).join(parts))
    return out


def patient_sentence(scene_data, side="r", language="en"):
    """Return the one sentence of the patient's picture, for one or two runners or two legs.

    Of two runners the side of the knee whose peak differs most among those that the results
    tell apart; where none is told apart, that both carry about the same.
    """
    runners = scene_data.runners
    if runners[0].leg:
        return _legs(scene_data, language)
    leg = texts.text("right_knee" if side == "r" else "left_knee", language)
    found = {n: [value_of(scene_data, r, side, n) for r in runners] for n in ("inner", "outer")}
    found = {n: v for n, v in found.items() if None not in v}
    if not found:
        return texts.text("patient_nothing", language)

    def written(value):
        return texts.figure(value, language, 1)

    if len(runners) < 2:
        if len(found) < 2:
            return texts.text("patient_nothing", language)
        inner, outer = (written(found[n][0]) for n in ("inner", "outer"))
        return texts.text("patient_one", language, knee=leg, inner=inner, outer=outer)
    changes = {n: round(v[1], 1) - round(v[0], 1) for n, v in found.items()}
    clear = {
        n: c
        for n, c in changes.items()
        if _sign(c, 1) and is_clear(scene_data, runners[0], runners[1], side, n)
    }
    chosen = max(clear or changes, key=lambda n: abs(changes[n]))
    key = "same" if not clear else ("more" if changes[chosen] > 0 else "less")
    return texts.text(
        f"patient_{key}", language,
        name=name_of(runners[1], language), reference=name_of(runners[0], language),
        place=texts.text("medial" if chosen == "inner" else "lateral", language), knee=leg,
        first=written(found[chosen][0]), second=written(found[chosen][1]),
        change=written(abs(changes[chosen])),
    )  # fmt: skip


_STEPS = 3
"""Strides of each leg from which on their spread tells a difference of the legs."""


def _legs(scene_data, language):
    """Compare a person's knees, each figure the mean of its leg's strides.

    A difference is told where it is more than twice its standard error over the strides of
    both legs; from fewer strides than `_STEPS` a leg none is.
    """
    found = {}
    for name in ("inner", "outer"):
        legs = [_strides_of(scene_data, r, name) for r in scene_data.runners]
        right, left = (float(np.mean(values)) for values in legs)
        change = round(right, 1) - round(left, 1)
        clear = min(map(len, legs)) >= _STEPS and abs(right - left) > 2 * np.sqrt(
            sum(np.var(values, ddof=1) / len(values) for values in legs)
        )
        found[name] = (change, right, left, bool(clear and _sign(change, 1)))
    told = {n: f for n, f in found.items() if f[3]} or found
    chosen = max(told, key=lambda n: abs(told[n][0]))
    change, right, left, clear = told[chosen]
    few = min(len(_strides_of(scene_data, r, chosen)) for r in scene_data.runners) < _STEPS
    key = "few" if few else "same" if not clear else "right" if change > 0 else "left"
    return texts.text(
        f"patient_legs_{key}", language,
        place=texts.text("medial" if chosen == "inner" else "lateral", language),
        right=texts.figure(right, language, 1), left=texts.figure(left, language, 1),
        change=texts.figure(abs(change), language, 1),
    )  # fmt: skip


def _strides_of(scene_data, runner, name):
    """Return a figure over a leg's strides; without a table, of the stride that is shown."""
    column = FIGURES[name].column
    rows = [r for r in runner.strides if r.get("kind") == "stride" and column in r]
    values = [float(r[column]) for r in rows if r.get("side") == runner.leg]
    return values or [value_of(scene_data, runner, runner.leg, name)]
