"""The whole way without force plates, on real captures whose plates are only compared."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from kneestride import chain
from kneestride.capture.read import read_trial
from kneestride.cli import main
from kneestride.results.folder import Results
from kneestride.vocabulary import GRAVITY, SIDES

pytestmark = pytest.mark.real

WALKS = ("walking1", "walkingTI1", "walkingTO1", "walkingTS1")


def table(path: Path) -> tuple[list[str], np.ndarray]:
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(k for k, line in enumerate(lines) if line.strip() == "endheader") + 1
    rows = [[float(x) for x in line.split()] for line in lines[start + 1 :] if line.strip()]
    return lines[start].split(), np.array(rows)


def test_a_run_with_its_forces_hidden_gives_loads(shared_data: Path, tmp_path: Path) -> None:
    folder, out = shared_data / "rbds", tmp_path / "run"
    static = folder / "RBDS012static.c3d"
    call = ["analyse", str(folder / "RBDS012runT35.c3d"), "--static", str(static)]
    call += ["--mass", "75.7", "--height", "1.786", "--forces", "none", "--out", str(out)]
    assert main([*call, "--quiet"]) == 0
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["forces"] == "predicted"
    assert summary["ground_method"] == "learned"
    assert any("no force was measured" in w for w in summary["warnings"])
    peak = summary["uncertainty"]["r"]["medial_peak"]
    assert {"ground_up", "pressure_across"} <= set(peak["sd_by_source_N"])
    assert peak["low_N"] < peak["median_N"] < peak["high_N"]
    rows = list(csv.DictReader((out / "strides.csv").open(encoding="utf-8")))
    assert {r["forces"] for r in rows} == {"predicted"}
    names, values = table(out / "ground_forces.mot")
    vertical = sum(np.nan_to_num(values[:, names.index(f"ground_force_{s}_vy")]) for s in SIDES)
    assert vertical.mean() == pytest.approx(75.7 * GRAVITY, rel=0.04)
    forward = sum(np.nan_to_num(values[:, names.index(f"ground_force_{s}_vx")]) for s in SIDES)
    assert forward.mean() == pytest.approx(0.0, abs=0.01 * 75.7 * GRAVITY)
    plates = read_trial(folder / "RBDS012runT35.c3d", None).forces
    assert plates is not None
    measured = np.interp(values[:, 0], plates.time, plates.force[:, :, 1].sum(axis=1))
    loaded = (measured > 50.0) & (vertical > 0)
    error = np.sqrt(np.mean((vertical - measured)[loaded] ** 2)) / (75.7 * GRAVITY)
    assert error < 0.15  # raw plates against a smoothed prediction
    assert (out / "scene.npz").is_file()
    assert (out / "tissues.sto").is_file()


def walk(shared_data: Path, name: str, plates: bool) -> Results:
    folder = shared_data / "opencap04"
    return chain.analyse(
        folder / f"{name}.trc",
        static=folder / "static1.trc",
        forces=folder / f"{name}_grf.mot" if plates else "none",
        mass=62.6,
        height=1.72,
    )


TRUNK_SWAY = pytest.param(
    "walkingTS1",
    marks=pytest.mark.xfail(
        strict=True, reason="medial peak of one leg 0.52 BW off (limit 0.5): a known miss"
    ),
)


@pytest.mark.parametrize("name", [*(n for n in WALKS if n != "walkingTS1"), TRUNK_SWAY])
def test_walking_by_mechanics_against_plates(shared_data: Path, name: str) -> None:
    measured, predicted = (walk(shared_data, name, plates) for plates in (True, False))
    assert predicted.summary["ground_method"] == "mechanics"
    a, b = measured.ground, predicted.ground
    assert a is not None and b is not None
    weight = 62.6 * GRAVITY
    stance = (a.force[..., 1] > 50.0) & ~a.masked
    error = np.sqrt(((b.force - a.force)[stance] ** 2).mean(axis=0)) / weight
    assert error[1] < 0.08
    assert error[0] < 0.05
    assert error[2] < 0.05
    for s in range(len(SIDES)):
        one, two = measured.knee.medial[:, s], predicted.knee.medial[:, s]
        both = np.isfinite(one) & np.isfinite(two)
        assert abs(two[both].max() - one[both].max()) < 0.5 * weight


def test_standing_gives_joint_angles_only(shared_data: Path, tmp_path: Path) -> None:
    folder, out = shared_data / "opencap04", tmp_path / "standing"
    call = ["analyse", str(folder / "static1.trc"), "--mass", "62.6", "--height", "1.72"]
    assert main([*call, "--out", str(out), "--quiet"]) == 0
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["forces"] == "none"
    assert any("not predicted for this task" in w for w in summary["warnings"])
    assert not (out / "ground_forces.mot").exists()
    assert (out / "ik.mot").is_file()
