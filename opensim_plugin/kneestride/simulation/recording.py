"""A periodic stride as a recording again, with loads and everything else of a results folder.

The recording holds one complete stride of each foot with the contact before it, from which
the step width is measured: a little over two periods. The drift that was taken out of the
stride is put back, so that the standing foot moves with the belt as it was captured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import outcome, stages
from ..capture.trial import Markers
from ..loads.ground import MeasuredGround
from ..loads.types import GroundReaction
from ..model.path_fits import PathFit, muscle_paths
from ..model.paths import MusclePaths, exact_paths
from ..motion.contacts import Contact, Contacts
from ..motion.inverse_kinematics import CoordinatePriors, MarkerTasks
from ..motion.kinematics import AnatomicalPaths, Motion
from ..motion.stride_rows import stride_rows
from ..results.folder import Results
from ..results.tables import Table
from ..vocabulary import GRAVITY, SIDES, Array, BoolArray, Side
from .runner import Runner
from .stride import TRANSLATIONS, PeriodicStride

MARGIN = 0.06
"""s of the repeated stride at both ends, so that no value is read at an end."""


@dataclass(frozen=True)
class Recording:
    """The repeated stride over the frames of a recording.

    Attributes
    ----------
    motion, qd, qdd : Motion and its derivatives (T, N)
    ground : GroundReaction
    frame : (T,) the period's frame that each row repeats
    contacts : Contacts; starts : side to the start (s) of its one stride to report
    """

    motion: Motion
    qd: Array
    qdd: Array
    ground: GroundReaction
    frame: NDArray[np.int64]
    contacts: Contacts
    starts: Mapping[Side, float]


def unroll(
    stride: PeriodicStride, informed: BoolArray, predicted: bool, notes: tuple[str, ...] = ()
) -> Recording:
    """Repeat a stride until it holds one whole stride of each foot."""
    other: Side = "l" if stride.side == "r" else "r"
    step = stride.period / stride.frames
    lead = stride.contact[other][0]
    first = int(np.floor((lead - stride.period - MARGIN) / step))
    last = int(np.ceil((lead + stride.period + MARGIN) / step))
    count = np.arange(first, last + 1, dtype=np.int64)
    frame = count % stride.frames
    after: Array = np.asarray(count * step, dtype=float)
    time: Array = stride.start + after
    q, qd = stride.q[frame].copy(), stride.qd[frame].copy()
    for axis, name in enumerate(TRANSLATIONS):
        k = stride.coordinates.index(name)
        q[:, k] += stride.drift[axis] * after
        qd[:, k] += stride.drift[axis]
    motion = Motion(time, 1.0 / step, stride.coordinates, q, informed)
    contact = np.asarray(stride.force[frame, :, 1] > 0.0)
    ground = GroundReaction(
        time,
        stride.force[frame],
        stride.point[frame] + (after[:, None] * stride.drift)[:, None],
        stride.torque[frame],
        contact,
        np.zeros_like(contact),
        predicted,
        notes,
    )
    found = {s: _repeat(stride, s, time) for s in SIDES}
    starts: dict[Side, float] = {stride.side: stride.start, other: stride.start + lead}
    contacts = Contacts(r=found["r"], l=found["l"], source="force")
    return Recording(motion, qd, stride.qdd[frame], ground, frame, contacts, starts)


def _repeat(stride: PeriodicStride, side: Side, time: Array) -> tuple[Contact, ...]:
    begin, end = stride.contact[side]
    out = []
    for cycle in range(-3, 4):
        start = stride.start + begin + cycle * stride.period
        stop = stride.start + end + cycle * stride.period
        if stop > time[0] and start < time[-1]:
            out.append(
                Contact(
                    float(max(start, time[0])),
                    float(min(stop, time[-1])),
                    bool(start >= time[0]),
                    bool(stop <= time[-1]),
                )
            )
    return tuple(out)


def results_of(
    runner: Runner,
    inputs: stages.LoadInputs,
    stride: PeriodicStride,
    source: Results,
    *,
    name: str,
    simulated: bool,
    about: Mapping[str, object],
    warnings: tuple[str, ...],
    watch: stages.Stopwatch | None = None,
) -> tuple[Results, stages.LoadsOfMotion]:
    """Loads of a stride by the same chain as captured ones, as the contents of a folder.

    Parameters
    ----------
    source : Results of the captured trial, whose sources and settings are carried on
    about : what goes into `summary.json` as `simulation`
    """
    watch = watch or stages.Stopwatch()
    assert source.ground is not None
    predicted = source.ground.predicted
    recording = unroll(stride, source.motion.informed, predicted)
    motion, ground = recording.motion, recording.ground
    paths = runner.paths(motion.time, motion.rate, motion.q)
    loads = load_stride(runner, inputs, stride, recording, watch)
    with watch.stage("results"):
        rows = one_a_side(runner, recording, paths)
        body_weight = runner.subject.mass * GRAVITY
        loaded = outcome.with_loads(
            rows, loads, body_weight, "predicted" if predicted else "measured"
        )
        kinematics = _kinematics(recording, paths)
        standing = replace(runner.fitted, static_pose=runner.fitted.prior)
        tissues = outcome.tissue_loads(
            runner.subject,
            kinematics,
            inputs,
            loads,
            ground,
            runner.paths(np.zeros(1), 1.0, runner.fitted.prior[None]),
            stages.static_muscle_lengths(standing, inputs),
            recorded=(),
        )
        pelvis = [runner.body.coordinate(n) for n in stages.PELVIS]
        checks = outcome.checks(
            kinematics,
            loads,
            MeasuredGround(ground, (), {}),
            loads.dynamics.tau[:, pelvis],
            runner.subject.height,
            _cutoff(source),
        )
        intervals = outcome.intervals(
            loaded, kinematics, inputs, loads, ground, runner.subject, runner.settings
        )
    body = runner.body
    coupled = [i for i, n in enumerate(body.full_coordinates) if n not in body.coordinates]
    found = Results(
        trial=name,
        subject=source.subject,
        motion=motion,
        model_xml=source.model_xml,
        coupled=Table(
            tuple(body.full_coordinates[i] for i in coupled),
            motion.time,
            body.expand(motion.q)[:, coupled],
        )
        if coupled
        else None,
        inverse_dynamics=Table(body.full_coordinates, motion.time, loads.dynamics.tau_full),
        ground=ground,
        muscles=loads.recruited.muscles,
        knee=loads.knee,
        unpowered=Table(
            body.coordinates, motion.time, loads.dynamics.tau - loads.muscle_moment
        ),
        tissues=Table(tissues.names, tissues.time, tissues.values),
        strides=loaded,
        settings=source.settings,
        sources=source.sources,
        timing=watch.seconds,
        # No markers were followed here.
        checks=tuple(c for c in checks if c.name != "markers"),
        warnings=warnings,
        summary={
            "task": runner.task,
            "static_alignment": source.summary.get("static_alignment"),
            "uncertainty": intervals,
            "tissue_notes": list(tissues.notes),
            "simulation": dict(about),
        },
        simulated=simulated,
    )
    return found, loads


def load_stride(
    runner: Runner,
    inputs: stages.LoadInputs,
    stride: PeriodicStride,
    recording: Recording,
    watch: stages.Stopwatch | None = None,
    fit: PathFit | None = None,
) -> stages.LoadsOfMotion:
    """Loads of a repeated stride; muscle paths are found once for the period.

    Parameters
    ----------
    fit : PathFit, optional
        Of motions like this one, for many strides; checked here on frames of this one.
        Without it paths are exact.
    """
    watch = watch or stages.Stopwatch()
    with watch.stage("paths"):
        centers = np.array([inputs.knees[s].joint_center for s in SIDES])
        if fit is None:
            once = exact_paths(inputs.xml, stride.coordinates, stride.q, centers, workers=1)
        else:
            once, _ = muscle_paths(
                inputs.xml, stride.coordinates, stride.q, centers, workers=1, fit=fit
            )
        paths = _repeated(once, recording.frame)
    return stages.loads_of_motion(
        runner.fitted,
        inputs,
        runner.subject,
        recording.motion,
        recording.qd,
        recording.qdd,
        recording.ground,
        runner.settings,
        watch,
        paths,
    )


def one_a_side(
    runner: Runner, recording: Recording, paths: AnatomicalPaths
) -> tuple[dict[str, str | float], ...]:
    """Rows of `strides.csv`: the one whole stride of each foot."""
    rows = stride_rows(
        paths,
        recording.contacts,
        task="walking" if runner.task == "walking" else "running",
        sex=runner.subject.sex,
        pressure=recording.ground.point,
    )
    return tuple(
        row for row in rows
        for side in SIDES
        if row["side"] == side and abs(float(row["start_s"]) - recording.starts[side]) < 1e-6
    )  # fmt: skip


def _cutoff(source: Results) -> float:
    """Low-pass of the captured motion, Hz."""
    found = source.summary.get("cutoff_hz")
    return float(found) if isinstance(found, int | float) else stages.FAST_CUTOFF


def _repeated(once: MusclePaths, frame: NDArray[np.int64]) -> MusclePaths:
    return replace(
        once,
        length=once.length[frame],
        moment_arm=once.moment_arm[frame],
        tibia_wrench=once.tibia_wrench[frame],
        patella_force=None if once.patella_force is None else once.patella_force[frame],
    )


def _kinematics(recording: Recording, paths: AnatomicalPaths) -> stages.Kinematics:
    motion = recording.motion
    n, frames = len(motion.coordinates), len(motion.time)
    return stages.Kinematics(
        motion, motion, recording.qd, recording.qdd, paths,
        MarkerTasks((), np.empty(0, dtype=np.int64), np.empty((0, 3)), np.empty(0)),
        Markers((), motion.time, motion.rate, np.empty((frames, 0, 3))),
        CoordinatePriors(np.zeros(n), np.zeros(n), np.ones(n, dtype=np.bool_)),
    )  # fmt: skip
