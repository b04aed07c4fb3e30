"""What a knee load owes to the gait model it was computed with.

Two people's models of the same leg differ in muscle paths and strengths. How far their
loads lie apart was measured once, with four public models on the same captures
(docs/validation.md); here it is looked up. It belongs to levels: two strides of one person
come from one model and share it.
"""

from __future__ import annotations

from ..paths_of_data import shipped_table

QUANTITIES = (
    "medial_peak",
    "lateral_peak",
    "total_peak",
    "medial_impulse",
    "lateral_impulse",
    "total_impulse",
)


def model_spread(task: str) -> dict[str, float | str]:
    """Standard deviation over gait models, as a share of the load, and where it is from.

    Parameters
    ----------
    task : as `motion.tasks.recognise_task` tells it

    Returns
    -------
    mapping of each of `QUANTITIES` to a share, and of 'source' to a sentence; empty for a
    task that was not measured

    Raises
    ------
    ModelError
        When the shipped table is missing.
    """
    found = shipped_table("model_uncertainty.toml").get(task)
    if found is None:
        return {}
    return {name: float(found[name]) for name in QUANTITIES} | {"source": str(found["source"])}
