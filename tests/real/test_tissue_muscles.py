"""The public models name their muscles so that every tissue group finds its own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from kneestride.loads.tissue_table import read_table
from kneestride.loads.tissues import TissueInputs, muscle_group

MODELS = (
    "Rajagopal2016.osim",
    "RajagopalLaiUhlrich2023.osim",
    "FullBodyModel_Hamner2010_v2_0.osim",
    "gait2392_millard2012muscle.osim",
)


@pytest.mark.real
@pytest.mark.parametrize("model", MODELS)
def test_every_group_is_found_on_both_legs(shared_models: Path, model: str) -> None:
    text = (shared_models / model).read_text(encoding="utf-8", errors="replace")
    names = tuple(dict.fromkeys(re.findall(r'Muscle name="(\w+_[rl])"', text)))
    assert len(names) >= 80
    inputs = TissueInputs(
        np.zeros(1), 70.0, 1.75, muscles=names, muscle_force=np.ones((1, len(names)))
    )
    table = read_table()
    for group, alternatives in table.muscles.items():
        found = muscle_group(inputs, group, table)
        assert set(found) == {"r", "l"}, group
        assert all(force[0] == len(alternatives[0]) for force in found.values())
