"""Write the table of docs/ground_prediction.md: walking and squats without force plates.

    python scripts/tabulate_mechanics.py --write

Every walking and squatting capture is analysed twice, with its plates and with `--forces
none`, and the two ground reactions are compared over stance (plate above 50 N; centre of
pressure above 200 N), forces in body weights, in the axes of the fitted model's foot.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from doc_blocks import replace_block, signed, table
from kneestride.model.known import multibody_of
from kneestride.results.folder import Results
from kneestride.vocabulary import GRAVITY, SIDES, Array
from run_shared_captures import Capture, captures

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "ground_prediction.md"
SHOWN = {
    "opencap04 walking1": "opencap04 walking",
    "opencap04 walkingTI1": "opencap04 walking, toes in",
    "opencap04 walkingTO1": "opencap04 walking, toes out",
    "opencap04 walkingTS1": "opencap04 walking, trunk sway",
    "gc5 ngait_og_ss1": "gc5 walking",
    "opencap04 squats1": "opencap04 squats",
    "opencap04 squatsAsym1": "opencap04 squats, one leg favoured",
}
STANCE, PRESSED = 50.0, 200.0
"""N, vertical force of the plate: where forces, and where centres of pressure, are compared."""


def foot_axes(results: Results, side: str) -> tuple[Array, Array]:
    """Return the foot's forward and outward axes along the ground, (T, 3) each."""
    model = multibody_of(results.model_xml)
    rotation, _ = model.poses(results.motion.q)
    along = rotation[:, model.body(f"calcn_{side}"), :, 0] * np.array([1.0, 0.0, 1.0])
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    outward = np.cross(along, [0.0, 1.0, 0.0]) * (1.0 if side == "r" else -1.0)
    return along, outward


def row(capture: Capture) -> list[str]:
    """Return the figures of one capture."""
    plates, predicted = (capture.analysed(plates=told) for told in (True, False))
    assert plates.ground is not None and predicted.ground is not None
    a, b = plates.ground, predicted.ground
    weight = plates.subject.mass * GRAVITY
    both = ~a.masked & ~b.masked
    stance = both & (a.force[..., 1] > STANCE)
    pressed = both & (a.force[..., 1] > PRESSED) & (b.force[..., 1] > PRESSED)
    error = np.sqrt(np.mean((b.force - a.force)[stance] ** 2, axis=0)) / weight
    arms = []
    for s, side in enumerate(SIDES):
        axes = foot_axes(plates, side)
        gap = (b.point - a.point)[:, s]
        arms.append(np.array([np.sum(gap * axis, axis=1) for axis in axes])[:, pressed[:, s]])
    pressure = 1e3 * np.sqrt(np.mean(np.hstack(arms) ** 2, axis=1))
    peaks = ""
    if (
        plates.knee is not None
        and predicted.knee is not None
        and "walking" in SHOWN[capture.name]
    ):
        cells = []
        for s in range(len(SIDES)):
            one, two = plates.knee.medial[:, s], predicted.knee.medial[:, s]
            seen = np.isfinite(one) & np.isfinite(two)
            cells.append(signed((two[seen].max() - one[seen].max()) / weight, 2))
        peaks = ", ".join(cells)
    forces = [f"{error[k]:.3f}" for k in (1, 0, 2)]
    return [SHOWN[capture.name], *forces, f"{pressure[0]:.1f}", f"{pressure[1]:.1f}", peaks]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or write it into docs/ground_prediction.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="into docs/ground_prediction.md")
    options = parser.parse_args(arguments)
    known = {c.name: c for c in captures()}
    head = ["capture", "vertical", "fore-aft", "medio-lateral", "pressure along", "across"]
    rows = [row(known[name]) for name in SHOWN]
    text = table([*head, "medial peak r, l (predicted − plates, BW)"], rows)
    print(text)
    if options.write:
        replace_block(PAGE, "mechanics", text)


if __name__ == "__main__":
    main()
