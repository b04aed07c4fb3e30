"""Cutting one stride out of a recording and closing it on itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import simulated_runner as made
from kneestride.capture.trial import Subject
from kneestride.errors import ResultsError
from kneestride.loads.types import GroundReaction
from kneestride.motion.kinematics import Motion
from kneestride.results.folder import Results
from kneestride.simulation.stride import cut_stride

DRIFT = np.array([0.02, 0.0, -0.01])
CYCLES = 5


def repeated() -> Results:
    """The made-up stride again and again, from right mid-swing on, drifting on its belt."""
    s = made.stride()
    step = s.period / s.frames
    count = np.arange(-20, CYCLES * s.frames)
    frame, time = count % s.frames, 3.0 + count * step
    q = s.q[frame].copy()
    for axis, name in enumerate(("pelvis_tx", "pelvis_ty", "pelvis_tz")):
        q[:, s.coordinates.index(name)] += DRIFT[axis] * time
    told = np.ones(len(s.coordinates), dtype=np.bool_)
    motion = Motion(time, 1.0 / step, s.coordinates, q, told)
    contact = s.force[frame, :, 1] > 0.0
    ground = GroundReaction(
        time,
        s.force[frame],
        s.point[frame] + (time[:, None] * DRIFT)[:, None],
        s.torque[frame],
        contact,
        np.zeros_like(contact),
    )
    mass = made.runner().body.mass
    return Results("made up", Subject(mass, 1.75), motion, "", ground=ground)


def test_a_stride_that_repeats_is_not_moved() -> None:
    found = cut_stride(repeated())
    assert max(found.closing.values()) < 1e-4
    assert found.period == pytest.approx(made.PERIOD, abs=1e-3)


def test_drift_is_taken_out_of_body_and_pressure_alike() -> None:
    found = cut_stride(repeated())
    np.testing.assert_allclose(found.drift, DRIFT, atol=1e-4)
    z = found.coordinates.index("pelvis_tz")
    np.testing.assert_allclose(np.diff(found.q[:, z]), 0.0, atol=1e-5)
    base, loaded = made.stride(), found.force[:, 0, 1] > 200.0
    times = found.start - 3.0 + found.phase[loaded] * found.period
    expected = np.array([base.at(base.point[:, 0], t) for t in times])
    off = found.point[loaded, 0] - expected
    assert np.ptp(off, axis=0).max() < 5e-4


def test_a_gap_between_strides_is_closed_and_reported() -> None:
    results = repeated()
    knee = results.motion.coordinates.index("knee_angle_r")
    q = results.motion.q.copy()
    q[:, knee] += np.radians(2.0) * (results.motion.time - 3.0) / made.PERIOD
    found = cut_stride(replace(results, motion=replace(results.motion, q=q)))
    assert np.degrees(found.closing["knee_angle_r"]) == pytest.approx(1.0, abs=0.1)
    jump = found.q[0, knee] - found.q[-1, knee]
    inside = np.abs(np.diff(found.q[:, knee])).max()
    assert abs(jump) <= 1.5 * inside


def test_strides_with_masked_frames_are_passed_over() -> None:
    results = repeated()
    assert results.ground is not None
    masked = results.ground.masked.copy()
    masked[: 20 + 2 * made.FRAMES] = True
    found = cut_stride(replace(results, ground=replace(results.ground, masked=masked)))
    assert found.start > 3.0 + 2 * made.PERIOD


def test_a_recording_without_a_whole_stride() -> None:
    results = repeated()
    assert results.ground is not None
    none = np.ones_like(results.ground.masked)
    with pytest.raises(ResultsError) as caught:
        cut_stride(replace(results, ground=replace(results.ground, masked=none)))
    assert str(caught.value) == (
        "Expected a complete stride with the ground reaction of both feet. Found none in "
        "'made up'. Analyse a recording in which a foot lands twice on a measured floor."
    )
