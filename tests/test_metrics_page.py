"""Every column that the program writes is explained in docs/metrics.md, and drawn as it is."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import fields
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from kneestride import compare_command, outcome
from kneestride.loads import efficiency, selfcheck
from kneestride.loads.tissue_table import read_table
from kneestride.loads.types import KneeLoads
from kneestride.motion.picture import Picture, picture_rows
from kneestride.motion.stride_rows import stride_rows
from kneestride.results.comparison_tables import CSV_COLUMNS, CURVE_COLUMNS, TEST_COLUMNS
from kneestride.results.folder import KNEE_COLUMNS, STRIDE_COLUMNS
from kneestride.results.summary import Summary
from kneestride.sweep_command import COLUMNS as SWEEP_COLUMNS
from kneestride.vocabulary import SIDES
from stick_figure import gait
from test_efficiency import STANCE
from test_efficiency import inputs as costs

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


def named(page: str = PAGE) -> set[str]:
    """Names in backquotes, braces written out."""
    out = set()
    for text in re.findall(r"`([^`\n]+)`", page):
        parts = re.split(r"\{([^}]*)\}", text)
        choices = [p.split(",") if k % 2 else [p] for k, p in enumerate(parts)]
        out |= {"".join(one) for one in product(*choices)}
    return out


def unexplained(columns: Iterable[str]) -> list[str]:
    return sorted(set(columns) - named())


def stride_columns() -> set[str]:
    """Columns of strides.csv of a run with loads."""
    paths, contacts = gait()
    rows = stride_rows(paths, contacts, task="running")
    nothing = np.zeros((len(paths.time), 2))
    arrays = {f.name: nothing for f in fields(KneeLoads)} | {"time": paths.time}
    loads = SimpleNamespace(knee=KneeLoads(**arrays))
    return set(outcome.with_loads(rows, loads, 700.0)[0]) | set(STRIDE_COLUMNS)  # type: ignore[arg-type]


def test_every_column_of_the_stride_table_is_explained() -> None:
    columns = stride_columns()
    assert len(columns) > 100
    assert unexplained(columns) == []


def test_every_column_over_time_is_explained() -> None:
    knees = {f"knee_{side}_{name}" for side in SIDES for _, name in KNEE_COLUMNS}
    tissues = {s.column(side) for s in read_table().structures.values() for side in SIDES}
    assert unexplained(knees | tissues) == []


def test_every_figure_of_what_a_stride_costs_is_explained() -> None:
    found = efficiency.efficiency(costs(), "r", [STANCE])
    muscles = {f"{name}_Nms_per_kg" for name, *_ in efficiency._MOMENTS}
    shares = {f"{group}_share_percent" for group in efficiency._SUPPORT}
    assert len(found) > 4
    assert unexplained({*found, *muscles, *shares}) == []


def test_every_column_of_comparisons_is_explained() -> None:
    advice = next(csv.reader(io.StringIO(compare_command._advice_csv(()))))
    tables = {*CSV_COLUMNS, *CURVE_COLUMNS, *TEST_COLUMNS, *SWEEP_COLUMNS, *advice}
    assert unexplained(tables) == []


def test_every_section_of_the_summary_and_every_check_is_explained() -> None:
    written = "".join(
        (ROOT / "opensim_plugin" / "kneestride" / name).read_text(encoding="utf-8")
        for name in ("chain.py", "outcome.py", "loads/selfcheck.py")
    )
    further = set(re.findall(r'summary\["(\w+)"\]', written))
    checks = set(re.findall(r'Check\(\s*"(\w+)"', written))
    assert selfcheck.RESERVE_LOOK == 0.05 and len(further) > 3 and len(checks) > 7
    assert unexplained({*Summary.model_fields, *further, *checks}) == []


@pytest.mark.parametrize("view", ["frontal", "sagittal"])
def test_every_column_of_one_camera_is_explained(view: str) -> None:
    t = np.arange(200) / 50.0
    deep = 60.0 * np.sin(np.pi * t / 4.0) ** 2
    points = {}
    for side, x in zip(SIDES, (-10.0, 10.0), strict=True):
        for name, y, moves in (("hip", 180.0, 1.0), ("knee", 90.0, 0.3), ("ankle", 10.0, 0.0)):
            place = np.stack([np.full_like(t, x) + 0.1 * y, y - moves * deep], axis=-1)
            points[f"{name}_joint_center_{side}"] = place
    rows = picture_rows(Picture(t, 50.0, points, view, 200.0, 170.0), "squat")  # type: ignore[arg-type]
    steps = {"step_width_proxy_mm", "contact_s", "stride_time_s", "cadence_per_min"}
    assert rows and unexplained({n for row in rows for n in row} | steps) == []


def test_the_page_explains_no_column_that_there_is_not() -> None:
    known = stride_columns()
    unit = re.compile(
        r"_(ic|mid|peak|change)_(deg|mm|ratio)$|_(peak|impulse)_(N|BW|Ns|BWs|Nm)$"
    )
    elsewhere = re.compile(r"^(projection_angle|contralateral|knee_flexion|trunk|knee_sep)")
    assert [
        n for n in named() if unit.search(n) and not elsewhere.match(n) and n not in known
    ] == []


def test_figures_are_as_the_script_draws_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    sys.modules.pop("draw_figures", None)
    from draw_figures import OUT, drawings  # type: ignore[import-not-found]

    everything = "".join(p.read_text("utf-8") for p in (ROOT / "docs").glob("*.md"))
    for name, text in drawings().items():
        assert (OUT / name).read_text(encoding="utf-8") == text, name
        assert f"figures/{name}" in everything, f"{name} is on no page"
