"""The demonstration: the reference runner, recorded by the project itself, then analysed.

    figures (models/reference_stride.*) ─► body ─► markers and forces ─► files ─► `analyse`

The recording is written to files and read back, so that the demonstration goes the whole
way of a captured run. The same seed gives the same files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from .capture.reference import ReferenceStride, load_reference
from .capture.sto import write_table
from .capture.trc import write_trc
from .capture.trial import Forces
from .chain import analyse
from .model.multibody import Multibody
from .model.osim import load_model
from .model.tables import RUNNER_MODEL
from .motion.reference_capture import CaptureNoise, ReferenceRecording, record
from .motion.reference_runner import reference_body
from .results.folder import Results
from .temporary import temporary_folder

Progress = Callable[[str, float], None]
SEED = 2017
STRIDES = 12


@dataclass(frozen=True)
class ReferenceFiles:
    """A written recording of the reference runner: files, person and belt speed m/s."""

    trial: Path
    static: Path
    forces: Path
    mass: float
    height: float
    speed: float


def reference_recording(
    *, strides: int = STRIDES, noise: CaptureNoise | None = None, seed: int = SEED
) -> tuple[ReferenceStride, ReferenceRecording]:
    """Record the reference runner; without `noise` the recording is exact."""
    reference = load_reference()
    runner = reference_body(reference, Multibody.from_osim(load_model(RUNNER_MODEL)))
    return reference, record(reference, runner, strides=strides, noise=noise, seed=seed)


def write_recording(
    out: Path, reference: ReferenceStride, recording: ReferenceRecording
) -> ReferenceFiles:
    """Write a recording as reference_run.trc, reference_static.trc and reference_grf.mot.

    Parameters
    ----------
    out : path of a folder, made when it is not there
    """
    out.mkdir(parents=True, exist_ok=True)
    trial, forces = recording.trial, recording.trial.forces
    assert forces is not None
    files = ReferenceFiles(
        out / f"{trial.name}.trc",
        out / f"{recording.static.name}.trc",
        out / "reference_grf.mot",
        reference.mass,
        reference.height,
        reference.speed,
    )
    write_trc(files.trial, trial.markers)
    write_trc(files.static, recording.static.markers)
    _write_forces(files.forces, forces)
    return files


def demo_reference(
    out: Path, *, strides: int = STRIDES, seed: int = SEED, progress: Progress | None = None
) -> Results:
    """Write the reference runner's recording into `out` and analyse it.

    Parameters
    ----------
    out : path of a folder for the recording
    strides : int, complete strides of each side
    seed : int; the same seed gives the same recording and the same results
    progress : callable of (stage, share), optional

    Returns
    -------
    Results
    """
    noise = CaptureNoise()
    reference, recording = reference_recording(strides=strides, noise=noise, seed=seed)
    files = write_recording(out, reference, recording)
    results = analyse(
        files.trial,
        static=files.static,
        forces=files.forces,
        mass=files.mass,
        height=files.height,
        treadmill_speed=files.speed,
        progress=progress,
    )
    told = {"source": reference.source, "seed": seed, "noise": asdict(noise)}
    note = f"The recording was written by kneestride, not captured. {reference.source}."
    return replace(
        results,
        log=(note, *results.log),
        summary={**results.summary, "reference_runner": told},
    )


def reference_results(
    *, strides: int = STRIDES, seed: int = SEED, progress: Progress | None = None
) -> Results:
    """Analyse the reference runner without keeping the files of the recording.

    Parameters
    ----------
    strides : int, complete strides of each side
    seed, progress : as of `demo_reference`

    Returns
    -------
    Results, as `analyse` gives them of a captured run
    """
    with temporary_folder() as folder:
        return demo_reference(Path(folder), strides=strides, seed=seed, progress=progress)


def _write_forces(path: Path, forces: Forces) -> None:
    """Write the ground reaction of both feet under the names that OpenSim's examples use."""
    names, blocks = [], []
    for p, side in enumerate(forces.names):
        for stem, values in (
            (f"ground_force_{side}_v", forces.force),
            (f"ground_force_{side}_p", forces.point),
            (f"ground_torque_{side}_", forces.torque),
        ):
            names += [f"{stem}{axis}" for axis in "xyz"]
            blocks.append(values[:, p])
    write_table(path, names, forces.time, np.concatenate(blocks, axis=1))
