"""Where contact times leave doubt, the hips tell walking from running."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cartoon_runner import contacts, runner
from kneestride.motion.events import is_running
from kneestride.motion.tasks import _vaults
from kneestride.vocabulary import SIDES


@pytest.mark.parametrize("vaults", [True, False])
def test_hips_that_rise_in_stance_vault(vaults: bool) -> None:
    paths = runner()  # whose hips are highest in mid-stance
    points = {n: p if vaults else p * (1.0, -1.0, 1.0) for n, p in paths.points.items()}
    assert _vaults(replace(paths, points=points), contacts()) is vaults


def test_the_share_of_the_stride_decides() -> None:
    found = {s: contacts().of(s) for s in SIDES}
    share = 0.25 / 0.70
    assert is_running(found, share + 0.02)
    assert not is_running(found, share - 0.02)
