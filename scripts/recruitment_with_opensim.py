"""Hold muscle recruitment against OpenSim's StaticOptimization, from results folders.

    python scripts/recruitment_with_opensim.py FOLDER …           # results folders
    python scripts/recruitment_with_opensim.py --write            # captures beside the project

The folder's own set-up, `opensim_setup/static_optimization.xml`, is run over a few frames,
and the same problem is solved with kneestride's functions: Σ a² over the muscles plus the
squared controls of the same reserves, no compartment terms, tendons rigid, no passive
forces. OpenSim's tool leaves the pennation of these muscles out of the force that it
asks for (the muscles' own force has it), so it is left out here as well; what it makes is
the last column, in which pennation is back.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from compare_with_opensim import ROOT, Folder, captures, working_in
from doc_blocks import replace_block, table
from kneestride.loads import muscles as muscle_force
from kneestride.loads import qp
from kneestride.model.muscle_parameters import muscle_parameters
from kneestride.model.osim import opensim
from kneestride.results.tables import read_table
from kneestride.vocabulary import Array
from numpy.typing import NDArray

PAGE = ROOT / "docs" / "opensim.md"
SETUP = "static_optimization.xml"
LEAST = 0.01
DECIMALS = {"rms": 2, "largest": 1, "peak": 0, "pennation": 0}
FRAMES = 6
"""OpenSim's tool takes about a second a frame."""


def their_forces(folder: Folder, frames: NDArray[np.int_]) -> dict[str, Array]:
    """Run the set-up over consecutive frames; force (T,) N of each actuator by name."""
    place = folder.path / "opensim_setup"
    time = folder.results.motion.time[frames]
    text = (place / SETUP).read_text(encoding="utf-8")
    for tag, value in (("initial_time", time[0]), ("final_time", time[-1])):
        text = re.sub(f"<{tag}>.*?</{tag}>", f"<{tag}>{value:.10g}</{tag}>", text)
    with tempfile.TemporaryDirectory() as scratch:
        directory = f"<results_directory>{scratch}</results_directory>"
        text = re.sub("<results_directory>.*?</results_directory>", directory, text)
        cut = Path(scratch) / SETUP
        # Its files are named from where the set-up lies.
        for name in ("../", "external_loads.xml", "static_optimization_actuators.xml"):
            whole = f"{place.parent}/" if name == "../" else str(place / name)
            text = text.replace(f">{name}", f">{whole}")
        cut.write_text(text, encoding="utf-8")
        with working_in(place):
            assert opensim.AnalyzeTool(str(cut)).run()
        [written] = Path(scratch).glob("*_StaticOptimization_force.sto")
        found = read_table(written)
    np.testing.assert_allclose(found.time, time, atol=1e-6)
    return {name: found.column(name) for name in found.names}


def our_forces(folder: Folder, frames: NDArray[np.int_], pennation: bool) -> dict[str, Array]:
    """Solve the same problem; force (T,) N of each muscle by name."""
    _, qd, _ = folder.motion
    paths = folder.paths.window(int(frames[0]), int(frames[-1]) + 1)
    parameters = muscle_parameters(folder.model)
    velocity = muscle_force.lengthening_velocity(paths, qd[frames])
    state = muscle_force.rigid_tendon(parameters, paths.length, velocity)
    if not pennation:
        state = replace(state, cos_pennation=np.ones_like(state.cos_pennation))
    able = muscle_force.capacity(parameters, state).active
    actuators = ET.parse(folder.path / "opensim_setup" / "static_optimization_actuators.xml")
    optimal = {
        a.findtext("coordinate"): float(a.findtext("optimal_force", "nan"))
        for a in actuators.iter("CoordinateActuator")
    }
    reserves = np.array([optimal[name] for name in paths.coordinates])
    T, M = able.shape
    N = len(reserves)
    rows = np.zeros((T, N, M + N))
    rows[:, :, :M] = np.swapaxes(paths.moment_arm, 1, 2) * able[:, None, :]
    rows[:, :, M:] = np.diag(reserves)
    moments = folder.dynamics(as_simbody=True).tau[frames]
    free = np.full(N, np.inf)
    size = 100.0  # N·m, so that rows are near one
    found = qp.solve(
        np.full(M + N, 2.0), np.zeros(M + N), rows / size, moments / size,
        np.concatenate([np.full(M, LEAST), -free]), np.concatenate([np.ones(M), free]),
    )  # fmt: skip
    assert found.solved.all()
    force = found.x[:, :M] * able
    return {name: force[:, m] for m, name in enumerate(paths.names)}


def compare_recruitment(folder: Folder, count: int = FRAMES) -> dict[str, float]:
    """Differences of muscle forces, N, over frames in the middle of the recording.

    Returns
    -------
    mapping
        `rms`, `largest`: over muscles and frames; `peak`: largest force there;
        `pennation`: largest change when muscles pull at their pennation.
    """
    middle = len(folder.results.motion.time) // 2
    frames = np.arange(middle - count // 2, middle - count // 2 + count)
    theirs, ours = their_forces(folder, frames), our_forces(folder, frames, pennation=False)
    real = our_forces(folder, frames, pennation=True)
    apart = np.array([ours[n] - theirs[n] for n in ours])
    return {
        "rms": float(np.sqrt(np.mean(apart**2))),
        "largest": float(np.abs(apart).max()),
        "peak": float(max(theirs[n].max() for n in ours)),
        "pennation": float(max(np.abs(real[n] - ours[n]).max() for n in ours)),
    }


def report(folders: Iterable[Folder]) -> str:
    """Compare every folder and return the table, Markdown."""
    rows = []
    for folder in folders:
        found = compare_recruitment(folder)
        cells = [f"{found[k]:.{d}f} N" for k, d in DECIMALS.items()]
        rows.append([f"{folder.path.name}, {FRAMES} frames", *cells])
    head = ["", "rms", "largest", "largest force", "what pennation makes"]
    return table(head, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare folders and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="*", type=Path, help="results folders")
    parser.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        given = [Folder(path.resolve()) for path in options.folders]
        text = report(given or captures(Path(scratch)))
    if options.write:
        replace_block(PAGE, "recruitment", text)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
