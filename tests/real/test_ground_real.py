"""The measured ground reaction on every shared capture with force plates."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import foot_points as captures
import numpy as np
import pytest
from kneestride.loads.ground import measure_ground
from kneestride.loads.ground_lag import estimate_lag

pytestmark = pytest.mark.real

RBDS = [f"RBDS{n}" for n in ("001", "002", "03", "04", "05", "08", "09")] + [
    f"RBDS0{n}" for n in (10, 11, 12, 14, 15, 18, 19, 20, 22, 23, 24, 27, 28)
]
SPEEDS = ("T25", "T35", "T45")


@pytest.mark.parametrize("runner", RBDS)
def test_running_on_one_belt_alternates_between_the_feet(
    shared_data: Path, runner: str
) -> None:
    """One plate under both feet: every contact belongs to a foot, right follows left.

    The mean vertical force is the body weight (0.94 to 1.00 of what was recorded, the same
    at all speeds of a runner), stances come 72 to 113 to the half minute, and nothing but
    single frames at the edges is masked.
    """
    means = []
    for speed in SPEEDS:
        c = captures.rbds(shared_data, f"{runner}run{speed}")
        found = measure_ground(c.forces, c.paths, c.mass)
        sides = [k.side for k in found.contacts]
        assert all(a != b for a, b in pairwise(sides))
        assert 70 <= len(sides) <= 115
        assert found.figures["masked_share"] < 0.001
        assert sum(k.complete for k in found.contacts) >= len(sides) - 2
        means.append(found.figures["mean_vertical_BW"])
    assert 0.93 <= min(means) <= max(means) <= 1.00
    assert np.ptp(means) < 0.02


def test_a_swapped_metatarsal_shows_as_pressure_outside_the_foot(shared_data: Path) -> None:
    """RBDS03 at 2.5 m/s lacks R.MT1 and its R.MT5 is not where the static trial has it."""
    c = captures.rbds(shared_data, "RBDS03runT25")
    found = measure_ground(c.forces, c.paths, c.mass)
    assert found.figures["cop_outside_share_r"] > 0.5
    assert found.figures["cop_outside_share_l"] == 0.0
    assert any("look at the foot markers" in n for n in found.reaction.notes)


@pytest.mark.parametrize(("name", "first"), [("run200", 0.8266), ("run400", 0.6511)])
def test_running_in_another_laboratory_keeps_its_clock(
    shared_data: Path, name: str, first: float
) -> None:
    c = captures.hamner(shared_data, name)
    found = measure_ground(c.forces, c.paths, c.mass)
    assert [k.side for k in found.contacts] == list("rlrlrl")
    assert found.contacts[0].start == pytest.approx(first, abs=2e-3)
    assert found.figures["mean_vertical_BW"] == pytest.approx(1.0, abs=0.03)
    assert not found.reaction.masked.any()


def test_one_contact_per_foot_then_an_unmeasured_floor(shared_data: Path) -> None:
    """bmc_run: the right foot's second contact, from 0.71 s, has no plate under it."""
    c = captures.bmc(shared_data)
    found = measure_ground(c.forces, c.paths, c.mass)
    assert [k.side for k in found.contacts] == ["r", "l"]
    masked = found.reaction.masked
    assert masked[c.paths.time > 0.73, 0].all()
    assert not masked[c.paths.time < 0.70].any()


def test_walking_over_three_plates(shared_data: Path) -> None:
    """gc5: plates 2, 1, 3 carry right, left, right; plates 1 and 2 are loaded at once."""
    c = captures.gc5(shared_data)
    found = measure_ground(c.forces, c.paths, c.mass)
    assert [(k.side, k.plates) for k in found.contacts] == [
        ("r", (1,)),
        ("l", (0,)),
        ("r", (2,)),
    ]
    assert not any(k.complete for k in found.contacts)
    assert found.figures["masked_share"] == 0.0
    assert found.figures["outside_foot_p95_mm_l"] < 5.0


@pytest.mark.parametrize("style", ["", "TI", "TO", "TS"])
def test_overground_walking_masks_the_step_before_the_plates(
    shared_data: Path, style: str
) -> None:
    c = captures.opencap(shared_data, f"walking{style}1")
    found = measure_ground(c.forces, c.paths, c.mass)
    assert [k.side for k in found.contacts] == ["r", "l", "r"]
    masked = found.reaction.masked
    assert 0.05 < masked[:, 1].mean() < 0.15
    assert not masked[c.paths.time > 0.2].any()
    assert not masked[:, 0].any()


@pytest.mark.parametrize("name", ["squats1", "squatsAsym1"])
def test_squats_stand_with_a_foot_on_each_plate(shared_data: Path, name: str) -> None:
    c = captures.opencap(shared_data, name)
    found = measure_ground(c.forces, c.paths, c.mass)
    assert [(k.side, k.plates) for k in found.contacts] == [("r", (0,)), ("l", (1,))]
    assert found.reaction.contact.all()
    assert not found.reaction.masked.any()
    assert sum("offset is unknown" in n for n in found.reaction.notes) == 2


@pytest.mark.parametrize("name", ["DJ1", "DJAsym1"])
def test_drop_jumps_mask_the_box_and_not_the_flight(shared_data: Path, name: str) -> None:
    """The box is left at about 1.0 to 1.1 s, the plates are hit at about 1.4 s."""
    c = captures.opencap(shared_data, name)
    found = measure_ground(c.forces, c.paths, c.mass)
    masked, t = found.reaction.masked, c.paths.time
    assert masked[t < 0.95].all()
    assert not masked[t > 1.15].any()
    assert sorted(k.side for k in found.contacts) == ["l", "l", "r", "r"]
    assert all(1.35 < k.start < 2.6 for k in found.contacts)


def test_marker_and_force_clocks_agree(shared_data: Path) -> None:
    """RBDS without trunk markers: forces seem 4 to 12 ms early; other folders within 12 ms."""
    lags = []
    for runner in RBDS[::4]:
        c = captures.rbds(shared_data, f"{runner}runT25")
        lags.append(estimate_lag(c.forces, c.paths, c.mass).seconds)
    assert -0.012 < min(lags) < max(lags) < -0.003
    for c in (captures.hamner(shared_data, "run200"), captures.bmc(shared_data)):
        assert abs(estimate_lag(c.forces, c.paths, c.mass).seconds) < 0.012
