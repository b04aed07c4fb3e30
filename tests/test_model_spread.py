"""The spread over gait models is looked up by task, and says where it is from."""

from __future__ import annotations

import pytest
from kneestride.loads.model_spread import QUANTITIES, model_spread


@pytest.mark.parametrize("task", ["walking", "running"])
def test_every_load_has_a_share_and_a_source(task: str) -> None:
    found = model_spread(task)
    assert set(found) == {*QUANTITIES, "source"}
    assert all(0.0 < float(found[name]) < 1.0 for name in QUANTITIES)
    assert "validate_models" in str(found["source"])
    # Models disagree about the split before they disagree about the sum.
    assert float(found["lateral_peak"]) > float(found["total_peak"])


def test_a_task_that_was_not_measured_has_none() -> None:
    assert model_spread("squat") == {}
