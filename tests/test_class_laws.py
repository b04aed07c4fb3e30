"""Known answers of classes and their limits, and of the row that people read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import ModelError
from kneestride.motion import stride_rows, thresholds
from kneestride.motion.alignment import (
    METRES,
    QUANTITIES,
    RADIANS,
    SHARES,
    Alignment,
    ChainSignature,
    Link,
    Measure,
    StaticAlignment,
)
from kneestride.motion.strides import Stride
from kneestride.motion.thresholds import Label

NAN = float("nan")
TABLE: dict[str, Any] = {
    "alignment": {
        "gait": {"varus_below": -4.0, "valgus_above": 6.0, "marked": 10.0},
        "repetition": {"varus_below": -7.0, "valgus_above": 12.0, "marked": 20.0},
        "landing": {
            "varus_below": -9.0, "valgus_above": 16.0, "valgus_above_m": 14.0, "marked": 30.0,
        },
    },
    "landing": {
        "crossover_below": 5.0,
        "running": {
            "speed_m_s": [2.0, 4.0], "narrow_below": [30.0, 0.0], "wide_above": [80.0, 60.0],
        },
        "walking": {"narrow_below_leg": 0.05, "wide_above_leg": 0.2},
    },
    "chain": {},
    "static": {"neutral_within": 3.0, "knees_touch_below": 40.0, "malleoli_touch_below": 60.0},
}  # fmt: skip


# --- limits -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "name", "margin"),
    [(-5.0, "low", 6.0), (0.9, "low", 0.1), (1.0, "middle", 0.0), (2.0, "middle", 1.0),
     (3.5, "middle", 0.5), (4.0, "top", 0.0), (6.5, "top", 2.5)],
)  # fmt: skip
def test_a_value_has_the_class_below_its_next_limit(
    value: float, name: str, margin: float
) -> None:
    found = thresholds._place(value, [(1.0, "low"), (4.0, "middle")], "top")
    assert found[0] == name and found[1] == pytest.approx(margin)
    name, margin = thresholds._place(NAN, [(1.0, "low")], "top")
    assert name == "" and np.isnan(margin)


def test_labels_are_not_marked_unless_told_and_none_has_no_value() -> None:
    assert Label("neutral", 0.0, 1.0).marked is False
    none = thresholds.NO_LABEL
    assert none.name == "" and np.isnan([none.value, none.margin]).all() and not none.marked


@pytest.mark.parametrize(
    ("degrees", "row", "sex", "name", "marked"),
    [
        (-4.1, "gait", "", "varus", False), (-3.9, "gait", "", "neutral", False),
        (5.9, "gait", "", "neutral", False), (6.1, "gait", "", "valgus", False),
        (9.9, "gait", "", "valgus", False), (10.1, "gait", "", "valgus", True),
        (-9.9, "gait", "", "varus", False), (-10.1, "gait", "", "varus", True),
        (6.1, "gait", "m", "valgus", False), (11.9, "repetition", "", "neutral", False),
        (-7.1, "repetition", "f", "varus", False), (20.1, "repetition", "", "valgus", True),
        (15.9, "landing", "", "neutral", False), (15.9, "landing", "m", "valgus", False),
        (13.9, "landing", "m", "neutral", False), (15.9, "landing", "f", "neutral", False),
        (16.1, "landing", "f", "valgus", False),
        (NAN, "gait", "", "", False),
    ],
)  # fmt: skip
def test_angles_are_classed_by_row_and_sex(
    degrees: float, row: thresholds.Row, sex: str, name: str, marked: bool
) -> None:
    found = thresholds.alignment_class(np.radians(degrees), row, sex, TABLE)
    assert (found.name, bool(found.marked)) == (name, marked)
    assert np.degrees(found.value) == pytest.approx(degrees, nan_ok=True)


def test_neutral_is_never_marked() -> None:
    wide = {"alignment": {"gait": {"varus_below": -20.0, "valgus_above": 20.0, "marked": 10.0}}}
    assert not thresholds.alignment_class(np.radians(15.0), "gait", table=wide).marked
    assert thresholds.alignment_class(np.radians(21.0), "gait", table=wide).marked


@pytest.mark.parametrize(
    ("width", "speed", "name", "margin"),
    [
        (0.004, 3.0, "crossover", 1.0), (0.006, 3.0, "narrow", 1.0),
        (0.014, 3.0, "narrow", 1.0), (0.016, 3.0, "normal", 1.0),
        (0.069, 3.0, "normal", 1.0), (0.072, 3.0, "wide", 2.0),
        # Where narrow would end below crossing there is none.
        (0.004, 4.0, "crossover", 1.0), (0.006, 4.0, "normal", 1.0),
        # Beyond the table its ends hold.
        (0.029, 1.0, "narrow", 1.0), (0.079, 1.0, "normal", 1.0), (0.061, 9.0, "wide", 1.0),
        (0.004, NAN, "crossover", 1.0), (0.005, NAN, "", NAN), (0.05, NAN, "", NAN),
    ],
)  # fmt: skip
def test_widths_of_a_run_are_classed_by_speed(
    width: float, speed: float, name: str, margin: float
) -> None:
    found = thresholds.landing_class(width, "running", speed=speed, leg_length=0.9, table=TABLE)
    assert found.name == name
    assert 1e3 * found.margin == pytest.approx(margin, nan_ok=True)
    assert found.value == pytest.approx(width if name else NAN, nan_ok=True)


@pytest.mark.parametrize(
    ("width", "leg", "name", "margin"),
    [
        (0.044, 0.9, "narrow", 1.0), (0.046, 0.9, "normal", 1.0), (0.179, 0.9, "normal", 1.0),
        (0.181, 0.9, "wide", 1.0), (0.046, 1.0, "narrow", 4.0), (0.004, NAN, "crossover", 1.0),
        (0.006, NAN, "", NAN), (NAN, 0.9, "", NAN),
    ],
)  # fmt: skip
def test_widths_of_a_walk_are_classed_by_the_leg(
    width: float, leg: float, name: str, margin: float
) -> None:
    found = thresholds.landing_class(width, "walking", leg_length=leg, speed=3.0, table=TABLE)
    assert found.name == name
    assert 1e3 * found.margin == pytest.approx(margin, nan_ok=True)


def test_a_person_has_the_class_of_the_median_width() -> None:
    # By the package's own table at 2.5 m/s: 22 and 68 mm; walking: 10.9 and 17.1 % of the leg.
    def of(*widths: float, **more: Any) -> str:
        return thresholds.typical_landing(widths, "running", **more).name

    assert of(0.010, 0.021, 0.9, speed=2.5) == "narrow"
    assert of(0.010, 0.023, 0.9, NAN, speed=2.5) == "normal"
    assert of(0.010, 0.023, speed=2.5) == "narrow"  # between the two: 16.5 mm
    assert of(0.010, 0.069, 0.9, speed=2.5) == "wide" and of(0.05) == ""
    for leg, name in ((0.9, "normal"), (1.0, "narrow"), (0.5, "wide")):
        found = thresholds.typical_landing([0.1], "walking", leg_length=leg)
        assert (found.name, found.value) == (name, 0.1)
    assert thresholds.typical_landing([], "walking") is thresholds.NO_LABEL


def test_shares_are_of_those_that_have_a_class() -> None:
    labels = [Label(n, 0.0, 0.0) for n in ("wide", "", "narrow", "wide", "wide", "")]
    found = thresholds.shares(labels, ("normal", "wide", "narrow"))
    assert list(found.items()) == [("normal", 0.0), ("wide", 0.75), ("narrow", 0.25)]
    assert np.isnan(thresholds.shares(labels[1:2], ("wide",))["wide"])


@pytest.mark.parametrize(
    ("right", "left", "names"),
    [
        (2.9, -2.9, ("neutral", "neutral")), (3.1, -3.1, ("valgus", "varus")),
        (-3.1, 3.1, ("varus", "valgus")), (3.0, -3.0, ("neutral", "neutral")),
        (NAN, 4.0, ("", "valgus")),
    ],
)  # fmt: skip
def test_each_standing_leg_has_a_class(
    right: float, left: float, names: tuple[str, str]
) -> None:
    legs = (float(np.radians(right)), float(np.radians(left)))
    stood = StaticAlignment(legs, 0.1, 0.1, (0.0, 0.0), (0.0, 0.0))
    found = thresholds.static_classes(stood, TABLE)
    assert (found["hip_knee_ankle_r"], found["hip_knee_ankle_l"]) == names
    own = thresholds.static_classes(stood)  # ± 3° by the package's own table too
    assert (own["hip_knee_ankle_r"], own["hip_knee_ankle_l"]) == names


@pytest.mark.parametrize(
    ("knees", "malleoli", "said"),
    [
        (0.039, 0.059, "both"), (0.039, 0.061, "knees touch"), (0.041, 0.059, "malleoli touch"),
        (0.041, 0.061, "neither"), (NAN, 0.05, ""), (0.03, NAN, ""),
    ],
)  # fmt: skip
def test_gaps_tell_what_touches(knees: float, malleoli: float, said: str) -> None:
    stood = StaticAlignment((0.0, 0.0), malleoli, knees, (0.0, 0.0), (0.0, 0.0))
    assert thresholds.static_classes(stood, TABLE)["standing_test"] == said


def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for name, text in (("none", None), ("torn", "[alignment")):
        file = tmp_path / name
        if text is not None:
            file.write_text(text, encoding="utf-8")
        with pytest.raises(ModelError, match="limits in models"):
            thresholds.load_thresholds(file)
    for missing in ("alignment", "landing", "chain", "static"):
        file = tmp_path / f"{missing}.toml"
        rest = {"alignment", "landing", "chain", "static", "more"} - {missing}
        file.write_text("".join(f"[{n}]\n" for n in rest), encoding="utf-8")
        with pytest.raises(ModelError, match=f"no {missing}"):
            thresholds.load_thresholds(file)
    file = tmp_path / "whole"
    file.write_text("[alignment]\n[landing]\n[chain]\n[static]\nx = 3\n", encoding="utf-8")
    assert thresholds.load_thresholds(file)["static"] == {"x": 3}


# --- rows ---------------------------------------------------------------------------------


def measure(k: float) -> Measure:
    return Measure(k, k + 0.25, k + 0.5, -k)


def placed(kind: Any = "stride", angle: float = 0.0, **more: Any) -> Alignment:
    values: dict[str, Any] = {
        "contact_s": 0.25, "step_width_m": 0.03125, "heel_to_midline_m": 0.0625,
        "toe_to_midline_m": -0.125, "step_length_m": 1.5, "step_time_s": 0.375,
        "stride_time_s": 0.75, "cadence": 160.0, "speed_m_s": 2.5,
    }  # fmt: skip
    stride = Stride(kind, "l", 1.0, 1.75, 1.125, 1.5, 1.25, **(values | more))
    measures = {name: measure(1.0 + k) for k, name in enumerate(QUANTITIES)}
    measures["projection_angle"] = Measure(0.5, angle, 0.75, 0.125)
    links = (Link("one", 0.1, True), Link("two", 0.0, False), Link("three", 0.2, True),
             Link("four", NAN, None))  # fmt: skip
    return Alignment(
        stride, measures, 0.8, 0.0625, 0.015625, ChainSignature(links), measure(40.0),
        measure(50.0),
    )  # fmt: skip


def test_a_row_says_each_thing_once_in_the_unit_of_its_name() -> None:
    deg = 180.0 / np.pi
    given = placed(angle=np.radians(7.0))
    row = stride_rows.row(given, "running")
    expected: dict[str, str | float] = {
        "kind": "stride", "side": "l", "start_s": 1.0, "end_s": 1.75, "contact_s": 0.25,
        "step_width_mm": 31.25, "alignment": "valgus", "alignment_margin_deg": 2.0,
        # At 2.5 m/s narrow ends at 22 mm.
        "landing": "normal", "landing_margin_mm": 9.25, "task": "running", "mid_s": 1.25,
        "heel_to_midline_mm": 62.5, "toe_to_midline_mm": -125.0, "step_length_m": 1.5,
        "step_time_s": 0.375, "stride_time_s": 0.75, "cadence_per_min": 160.0,
        "speed_m_s": 2.5, "dynamic_valgus_deg": 0.125 * deg,
    }  # fmt: skip
    scale = dict.fromkeys(RADIANS, (deg, "deg")) | dict.fromkeys(METRES, (1e3, "mm"))
    scale |= dict.fromkeys(SHARES, (1.0, "ratio"))
    assert set(scale) == set(QUANTITIES)
    several = {n: (m, *scale[n]) for n, m in given.measures.items()} | {
        "knee_separation": (measure(40.0), 1.0, "ratio"),
        "ankle_separation": (measure(50.0), 1.0, "ratio"),
    }
    for name, (m, factor, unit) in several.items():
        for when, value in (("ic", m.initial_contact), ("mid", m.mid_stance), ("peak", m.peak),
                            ("change", m.change)):  # fmt: skip
            expected[f"{name}_{when}_{unit}"] = factor * value
    # 14th of the quantities, so 14.25 m at mid-stance, over a leg of 0.8 m.
    k = QUANTITIES.index("medial_knee_displacement")
    expected |= {
        "medial_knee_displacement_pct_leg": 100.0 * (1.0 + k + 0.25) / 0.8,
        "lateral_edge_landing_deg": 0.0625 * deg, "pressure_lateral_mm": 15.625,
        "chain_share": 2.0 / 3.0, "chain_measured": 3.0, "chain_present": "one; three",
    }  # fmt: skip
    assert set(row) == set(expected)
    for name, told in expected.items():
        assert row[name] == (told if isinstance(told, str) else pytest.approx(told)), name


def test_a_rows_class_is_of_its_kind_task_and_sex() -> None:
    def classes(
        kind: str, degrees: float, task: Any = "running", **more: Any
    ) -> tuple[Any, ...]:
        row = stride_rows.row(placed(kind, np.radians(degrees)), task, **more)
        return row["alignment"], row["landing"]

    # Landings: neutral to 13°, of men to 8°; gaits and squats to 5°.
    assert classes("landing", 10.0) == ("neutral", "normal")
    assert classes("landing", 10.0, sex="m")[0] == "valgus"
    assert classes("repetition", 10.0)[0] == classes("partial", 10.0)[0] == "valgus"
    assert classes("stride", 4.0, "squat") == ("neutral", "")
    # Walking at 0.8 m of leg: narrow to 87.2 mm, wide from 136.8 mm.
    assert classes("stride", 4.0, "walking")[1] == "narrow"


def test_a_rows_class_follows_the_table_that_is_given() -> None:
    for kind, limit in (
        ("stride", 6.0),
        ("partial", 6.0),
        ("repetition", 12.0),
        ("landing", 16.0),
    ):
        for degrees, name in ((limit - 0.1, "neutral"), (limit + 0.1, "valgus")):
            given = placed(kind, np.radians(degrees), step_width_m=0.004)
            knee, foot = thresholds.classify(given, "running", table=TABLE)
            assert (knee.name, foot.name) == (name, "crossover")
    given = placed("landing", np.radians(15.0))
    assert thresholds.classify(given, "running", "m", TABLE)[0].name == "valgus"


def test_shares_in_rows_are_of_those_that_have_a_class() -> None:
    rows: list[stride_rows.Row] = [
        {"landing": n} for n in ("wide", "", "narrow", "wide", "wide")
    ]
    assert list(stride_rows.class_shares(rows, "landing").items()) == [
        ("wide", 0.75), ("narrow", 0.25),
    ]  # fmt: skip
    assert stride_rows.class_shares(rows[1:2], "landing") == {}


def test_rows_take_the_task_the_sex_and_the_pressure_that_are_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    def align(paths: Any, table: Any, **more: Any) -> tuple[Alignment, ...]:
        seen.update(more, paths=paths, table=table)
        return (placed("landing", np.radians(10.0)),)

    monkeypatch.setattr(stride_rows, "align", align)
    monkeypatch.setattr(stride_rows, "stride_table", lambda *given: given)
    monkeypatch.setattr(stride_rows, "recognise_task", lambda paths, contacts: "walking")
    paths, contacts, pressure = SimpleNamespace(), SimpleNamespace(), np.zeros((1, 2, 3))
    rows = stride_rows.stride_rows(paths, contacts)  # type: ignore[arg-type]
    assert [(r["task"], r["alignment"]) for r in rows] == [("walking", "neutral")]
    assert seen["table"] == (paths, contacts, "walking") and seen["pressure"] is None
    # By the package's table a link of the chain moves by over 2°, the arch by over 1 %.
    assert seen["least_angle"] == pytest.approx(np.radians(2.0)) and seen["least_arch"] == 0.01
    rows = stride_rows.stride_rows(
        paths, contacts, task="squat", sex="m", pressure=pressure  # type: ignore[arg-type]
    )  # fmt: skip
    assert [(r["task"], r["alignment"]) for r in rows] == [("squat", "valgus")]
    assert seen["table"] == (paths, contacts, "squat") and seen["pressure"] is pressure
