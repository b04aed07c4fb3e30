"""Force-free events, signed step width and tasks on real recordings.

RBDS: 20 runners, 60 treadmill runs with an instrumented belt. The foot points are the
shoe markers, as in `scripts/fit_events.py`, which these tests use to read them.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from kneestride.capture.ground_forces import read_forces
from kneestride.capture.trc import read_trc
from kneestride.motion.events import events_from_force, events_from_kinematics
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.motion.strides import stride_table
from kneestride.motion.tasks import recognise_task
from kneestride.motion.thresholds import load_thresholds, typical_landing
from kneestride.vocabulary import SIDES

pytestmark = pytest.mark.real

EDGE = 0.010  # s: so near the recording's end an event may lie outside it


def script():
    file = Path(__file__).resolve().parents[2] / "scripts" / "fit_events.py"
    spec = importlib.util.spec_from_file_location("fit_events", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_events"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fit():
    return script()


@pytest.fixture(scope="module")
def runs(fit, shared_data):
    return fit.read_all(shared_data / "rbds")


@pytest.fixture(scope="module")
def found(runs):
    return {run.name: events_from_kinematics(run.paths) for run in runs}


def test_shipped_coefficients_meet_5_ms_and_10_ms_on_every_trial_they_were_fitted_on(
    fit, runs, found
):
    for run in runs:
        for which in (0, 1):
            errors = np.array(
                [
                    f[which] - t[which]
                    for s in SIDES
                    for f, t in fit.pairs(found[run.name].of(s), run.force.of(s))
                ]
            )
            assert abs(errors.mean()) < 0.005, (run.name, which)
            assert np.quantile(np.abs(errors), 0.95) < 0.010, (run.name, which)


def test_no_stride_is_missed_or_invented(runs, found):
    for run in runs:
        last = run.paths.time[-1]
        for s in SIDES:
            # Each contact clear of both ends of the recording, either way.
            for mine, theirs in (
                (found[run.name].of(s), run.force.of(s)),
                (run.force.of(s), found[run.name].of(s)),
            ):
                for c in mine:
                    inside = c.initial_contact_s > EDGE and c.toe_off_s < last - EDGE
                    if not (c.complete and inside):
                        continue
                    overlaps = [
                        t
                        for t in theirs
                        if t.initial_contact_s < c.toe_off_s
                        and c.initial_contact_s < t.toe_off_s
                    ]
                    assert len(overlaps) == 1, (run.name, s, c)


def test_left_out_runners_are_timed_within_5_ms_and_10_ms_for_95_percent(fit, runs):
    data = fit.samples(runs)
    for which in (0, 1):
        errors = np.concatenate(list(fit.left_out(data, which)["markers"].values()))
        print(("initial contact", "toe-off")[which], fit.describe(errors))
        assert abs(errors.mean()) < 0.005
        assert np.mean(np.abs(errors)) < 0.005
        assert np.quantile(np.abs(errors), 0.95) < 0.010


@pytest.mark.parametrize("name", ["RBDS001runT45", "RBDS08runT25"])
def test_paths_of_the_fitted_model_give_the_same_events(fit, runs, shared_data, name):
    folder = shared_data / "rbds"
    (run,) = (r for r in runs if r.name == name)
    mass, height = fit.participants(folder)[int(run.runner.removeprefix("RBDS"))]
    paths = fit.with_model(run, folder, mass, height).model_paths
    mine = events_from_kinematics(paths)
    for which in (0, 1):
        errors = np.array(
            [
                f[which] - t[which]
                for s in SIDES
                for f, t in fit.pairs(mine.of(s), run.force.of(s))
            ]
        )
        assert abs(errors.mean()) < 0.005
        assert np.quantile(np.abs(errors), 0.95) < 0.010


def direct_step_widths(run):
    """Heel markers at the middle of each belt contact, right minus left, by hand (m)."""
    order = sorted(
        (0.5 * (c.initial_contact_s + c.toe_off_s), s)
        for s in SIDES
        for c in run.force.of(s)
        if c.complete
    )
    across = {s: run.paths.points[f"heel_bottom_{s}"][:, 2] for s in SIDES}
    z = [np.interp(t, run.paths.time, across[s]) for t, s in order]
    return [
        (z[k] - z[k - 1]) * (1.0 if order[k][1] == "r" else -1.0)
        for k in range(1, len(order))
        if order[k][1] != order[k - 1][1]
    ]


def test_signed_step_width_agrees_with_the_heel_markers(runs, found):
    for run in runs:
        rows = stride_table(run.paths, found[run.name])
        median = np.nanmedian([s.step_width_m for s in rows])
        assert median == pytest.approx(np.median(direct_step_widths(run)), abs=0.005), run.name


def landing(run, contacts):
    rows = stride_table(run.paths, contacts)
    speed = float(np.median([s.speed_m_s for s in rows]))
    return typical_landing([s.step_width_m for s in rows], "running", speed=speed).name


def test_known_crossers_cross_and_known_wide_runners_are_not_narrow(runs, found):
    named = {run.name: landing(run, found[run.name]) for run in runs}
    for name in ("RBDS001runT45", "RBDS018runT45"):
        assert named[name] == "crossover"
    for name in ("RBDS08runT25", "RBDS08runT35", *(f"RBDS012runT{v}" for v in (25, 35, 45))):
        assert named[name] in ("normal", "wide"), name


def test_running_limits_are_the_quartiles_of_these_runners(runs):
    table = load_thresholds()["landing"]["running"]
    for k, speed in enumerate(("25", "35", "45")):
        medians = 1e3 * np.array(
            [np.median(direct_step_widths(r)) for r in runs if r.name.endswith(f"T{speed}")]
        )
        assert len(medians) == table["n"]
        low, high = np.percentile(medians, [25.0, 75.0])
        assert table["narrow_below"][k] == pytest.approx(max(low, 0.0), abs=2.0)
        assert table["wide_above"][k] == pytest.approx(high, abs=2.0)
        assert table["mean"][k] == pytest.approx(medians.mean(), abs=2.0)
        assert table["sd"][k] == pytest.approx(medians.std(ddof=1), abs=2.0)


NAMES = {
    "hamner04": ("{}CAL", "{}TOE", "{}MT5", None, None, ("{}ASI", "{}PSI")),
    "opencap04": (
        "{}_calc",
        "{}_toe",
        "{}_5meta",
        "{}_knee",
        "{}_ankle",
        ("{}.ASIS", "{}.PSIS"),
    ),
}
LETTERS = {"hamner04": ("R", "L"), "opencap04": ("r", "L")}


def paths_of(folder: Path, name: str) -> AnatomicalPaths:
    """Markers in place of bones: enough for events and tasks."""
    markers = read_trc(folder / f"{name}.trc").markers
    at = {n: markers.positions[:, k] for k, n in enumerate(markers.names)}
    heel, toe, fifth, knee, ankle, pelvis = NAMES[folder.name]
    points = {}
    for side, letter in zip(SIDES, LETTERS[folder.name], strict=True):
        points[f"heel_bottom_{side}"] = at[heel.format(letter)]
        points[f"metatarsal_1_{side}"] = at[toe.format(letter)]
        points[f"metatarsal_5_{side}"] = at[fifth.format(letter)]
        points[f"hip_center_{side}"] = np.mean([at[p.format(letter)] for p in pelvis], axis=0)
        if knee:
            points[f"knee_center_{side}"] = at[knee.format(letter)]
            points[f"ankle_center_{side}"] = at[ankle.format(letter)]
    forward, rest = np.array([1.0, 0.0, 0.0]), np.zeros(3)
    return AnatomicalPaths(markers.time, markers.rate, points, {}, {}, forward, rest)


def errors_against_plates(folder, name, columns):
    forces = read_forces(folder / f"{name}_grf.mot")
    vertical = np.column_stack([forces.force[:, forces.names.index(c), 1] for c in columns])
    true = events_from_force(forces.time, vertical, 750.0)
    paths = paths_of(folder, name)
    mine = events_from_kinematics(paths)
    starts, ends = [], []
    for s in SIDES:
        for t in true.of(s):
            hits = [
                f
                for f in mine.of(s)
                if f.initial_contact_s < t.toe_off_s and t.initial_contact_s < f.toe_off_s
            ]
            assert len(hits) == 1, (name, s, t)
            if t.complete_start and hits[0].complete_start:
                starts.append(hits[0].initial_contact_s - t.initial_contact_s)
            if t.complete_end and hits[0].complete_end:
                ends.append(hits[0].toe_off_s - t.toe_off_s)
    return np.array(starts), np.array(ends)


@pytest.mark.parametrize("name", ["run200", "run400"])
def test_other_laboratory_running_finds_every_contact_but_runs_late(shared_data, name):
    starts, ends = errors_against_plates(shared_data / "hamner04", name, ("R", "L"))
    print(
        name, "initial contact", np.round(1e3 * starts), "toe-off", np.round(1e3 * ends), "ms"
    )
    # Stated, not hidden: without this laboratory's data in the fit (and with its toe
    # marker for the first metatarsal head) initial contact is late, as methods warn.
    assert abs(starts.mean()) < 0.025 and np.abs(starts).max() < 0.040
    assert abs(ends.mean()) < 0.010 and np.abs(ends).max() < 0.020


@pytest.mark.parametrize("name", ["walking1", "walkingTI1", "walkingTO1", "walkingTS1"])
def test_walking_events_by_rule_alone(shared_data, name):
    starts, ends = errors_against_plates(shared_data / "opencap04", name, ("1", "2"))
    print(
        name, "initial contact", np.round(1e3 * starts), "toe-off", np.round(1e3 * ends), "ms"
    )
    assert np.median(np.abs(starts)) < 0.02 and np.abs(starts).max() < 0.045
    assert np.abs(ends).max() < 0.02


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("walking1", "walking"),
        ("walkingTS1", "walking"),
        ("squats1", "squat"),
        ("squatsAsym1", "squat"),
        ("DJ1", "landing"),
        ("DJAsym1", "landing"),
        ("static1", "static"),
    ],
)
def test_tasks_of_opencap(shared_data, name, task):
    paths = paths_of(shared_data / "opencap04", name)
    contacts = events_from_kinematics(paths)
    assert recognise_task(paths, contacts) == task
    kinds = {row.kind for row in stride_table(paths, contacts)}
    expected = {
        "walking": {"stride", "partial"},
        "squat": {"repetition"},
        "landing": {"landing"},
        "static": set(),
    }[task]
    assert kinds <= expected and bool(kinds) == bool(expected)
