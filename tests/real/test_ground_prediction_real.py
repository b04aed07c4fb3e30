"""The predicted ground reaction against plates that it never saw."""

from __future__ import annotations

from pathlib import Path

import foot_points as captures
import numpy as np
import pytest
from kneestride.loads.ground import measure_ground
from kneestride.loads.ground_prediction import PredictionSettings, predict_ground_reaction
from kneestride.vocabulary import GRAVITY

pytestmark = pytest.mark.real


def errors(c: captures.Capture, exact: bool) -> np.ndarray:
    """RMSE in body weights over measured stance (> 50 N) of the predicted stances."""
    got = predict_ground_reaction(
        c.paths, c.mass, settings=PredictionSettings(exact_impulse=exact)
    )
    truth = measure_ground(c.forces, c.paths, c.mass)
    misses = []
    for contact in truth.contacts:
        s = "rl".index(contact.side)
        near = [p for p in got.stances if p.side == contact.side and p.start < contact.end]
        if not any(p.end > contact.start for p in near):
            continue
        t = c.paths.time
        k = (t >= contact.start) & (t <= contact.end) & (truth.reaction.force[:, s, 1] > 50)
        misses.append((got.reaction.force - truth.reaction.force)[k, s] / (c.mass * GRAVITY))
    return np.asarray(np.sqrt((np.concatenate(misses) ** 2).mean(0)))


@pytest.mark.parametrize(("name", "limit"), [("run200", 0.10), ("run400", 0.20)])
def test_another_laboratory(shared_data: Path, name: str, limit: float) -> None:
    """hamner04: other markers, plates and runner, slower than any training speed."""
    miss = errors(captures.hamner(shared_data, name), exact=True)
    assert miss[1] < limit
    assert miss[0] < 0.10
    assert miss[2] < 0.06


@pytest.mark.parametrize("name", ["RBDS012runT25", "RBDS019runT45"])
def test_a_training_runner_is_reproduced(shared_data: Path, name: str) -> None:
    """Runners of the training set, here only as a check that file and code belong together."""
    miss = errors(captures.rbds(shared_data, name), exact=False)
    assert miss[1] < 0.08
    assert miss[0] < 0.03
    assert miss[2] < 0.03
