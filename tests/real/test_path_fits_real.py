"""Fitted muscle geometry of a real run leaves muscle and knee forces where exact puts them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride.capture.sto import read_table
from kneestride.loads.recruitment import RecruitmentSettings, recruit
from kneestride.model.path_fits import fit_paths, muscle_paths
from kneestride.model.paths import PathGeometry
from kneestride.motion.filtering import smooth_derivatives
from kneestride.vocabulary import Array
from reference_motion import RUN, chain

pytestmark = pytest.mark.real


def pose(data: Path, geometry: PathGeometry) -> Array:
    """Joint angles of the published run, as `reference_motion.chain` smooths them."""
    body, motion = geometry.multibody, read_table(data / RUN.motion)
    q = np.tile(body.default, (len(motion.time), 1))
    for i, name in enumerate(body.coordinates):
        if name in motion.names:
            values = motion.column(name)
            q[:, i] = np.deg2rad(values) if body.rotational[i] else values
    return smooth_derivatives(np.arange(len(q)) / RUN.rate, q, RUN.cutoff)[0]


def many_strides(q: Array, turning: Array) -> Array:
    """The run eight times, each time with every moving joint up to two degrees elsewhere."""
    rng = np.random.default_rng(3)
    moving = turning & (np.ptp(q, axis=0) > 1e-3)
    passes = []
    for _ in range(8):
        offset = np.where(moving, rng.uniform(-1, 1, q.shape[1]), 0.0) * np.deg2rad(2)
        passes.append(q + offset)
    return np.vstack(passes)


def test_forces_of_a_run_stay_within_one_percent_of_their_peaks(shared_data: Path) -> None:
    run = chain(shared_data, RUN)
    centers = PathGeometry(run.model).centers
    geometry = PathGeometry(run.model, centers)
    q = pose(shared_data, geometry)
    exact = geometry.evaluate(q)
    long = many_strides(q, geometry.multibody.rotational.astype(bool))
    fit = fit_paths(geometry, long)
    found, report = muscle_paths(geometry, geometry.coordinates, q, fit=fit)
    assert report.outside < 0.05 * len(q)
    assert len(report.exact_muscles) < 8, report.note
    settings = RecruitmentSettings("knee_aware")
    ours, theirs = (
        recruit(replace(run, paths=paths).problem(elastic=True), settings)
        for paths in (found, exact)
    )
    for name in ("medial", "lateral"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert np.abs(a - b).max() < 0.01 * b.max(), name
    a, b = ours.muscles.force, theirs.muscles.force
    peak = np.maximum(b.max(axis=0), 0.1 * run.parameters.max_isometric_force)
    assert (np.sqrt(((a - b) ** 2).mean(axis=0)) < 0.01 * peak).all()
