"""The chain from markers to knee loads on arrays that are ready, stage by stage, to be timed.

`Chain.of` does once what a run does before and around it (files, fitting the model, ground
reaction, fits of muscle paths). What is left is what OpenSim's inverse kinematics, inverse
dynamics, static optimisation and joint reaction do together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from kneestride import stages
from kneestride.capture.trial import Trial
from kneestride.loads.ground import GroundSettings, measure_ground
from kneestride.loads.knee import balance_of, knee_loads
from kneestride.loads.muscles import capacity, elastic_pass, lengthening_velocity
from kneestride.loads.recruitment import RecruitmentProblem, RecruitmentSettings, recruit
from kneestride.loads.streaming import MARGIN, PIECE, over_pieces
from kneestride.loads.types import GroundReaction
from kneestride.model.fitting import FittedSubject, fit_subject
from kneestride.model.path_fits import PathFit, fit_paths
from kneestride.model.paths import MusclePaths, PathGeometry
from kneestride.motion.filtering import smooth_derivatives
from kneestride.motion.kinematics import Motion
from kneestride.settings import Settings, check_subject
from kneestride.vocabulary import GRAVITY, SIDES, Array


@dataclass(frozen=True)
class Chain:
    """Everything that a run of the chain starts from."""

    fitted: FittedSubject
    inputs: stages.LoadInputs
    prepared: stages.Prepared
    ground: GroundReaction
    geometry: PathGeometry
    fit: PathFit
    weight: float
    cutoff: float
    settings: Settings

    @classmethod
    def of(
        cls,
        trial: Path | Trial,
        static: Path,
        mass: float,
        height: float,
        cutoff: float,
        forces: Path | Literal["none"] | None = None,
    ) -> Chain:
        """Prepare a recording."""
        settings, subject = Settings(), check_subject(mass, height)
        prepared = stages.prepare(trial, static, forces, None, settings, subject)
        fitted = fit_subject(
            stages.generic_model(None, settings),
            subject,
            prepared.trial.markers,
            prepared.names,
            prepared.static,
            prepared.static_names,
        )
        raw, *_ = stages.follow_markers(fitted, prepared)
        smooth = stages.smooth(fitted, prepared, raw, cutoff)
        assert prepared.trial.forces is not None
        ground = measure_ground(
            prepared.trial.forces, smooth.paths, mass, GroundSettings(cutoff=cutoff)
        ).reaction
        inputs = stages.load_inputs(fitted, subject, settings)
        centers = np.array([inputs.knees[s].joint_center for s in SIDES])
        geometry = PathGeometry(inputs.xml, centers)
        fit = fit_paths(geometry, smooth.motion.q)
        weight = mass * GRAVITY
        return cls(fitted, inputs, prepared, ground, geometry, fit, weight, cutoff, settings)

    def repeated(self, times: int) -> Chain:
        """The same recording, `times` after another on one clock."""
        markers, ground = self.prepared.trial.markers, self.ground
        frames = len(markers.time) * times
        time = markers.time[0] + np.arange(frames) / markers.rate

        def again(values: Array) -> Array:
            return np.concatenate([values] * times)

        trial = replace(
            self.prepared.trial,
            markers=replace(markers, time=time, positions=again(markers.positions)),
        )
        longer = replace(
            ground,
            time=time,
            **{
                name: again(getattr(ground, name))
                for name in ("force", "point", "torque", "contact", "masked")
            },
        )
        return replace(self, prepared=replace(self.prepared, trial=trial), ground=longer)

    def cut(self, frames: slice) -> Chain:
        """The same recording over some of its frames."""
        markers, ground = self.prepared.trial.markers, self.ground
        trial = replace(
            self.prepared.trial,
            markers=replace(
                markers, time=markers.time[frames], positions=markers.positions[frames]
            ),
        )
        part = {
            name: getattr(ground, name)[frames]
            for name in ("time", "force", "point", "torque", "contact", "masked")
        }
        return replace(
            self,
            prepared=replace(self.prepared, trial=trial),
            ground=replace(ground, **part),
        )

    # --- the stages, each from what the one before gave ------------------------------

    def kinematics(self) -> Motion:
        """Inverse kinematics of every frame, to convergence."""
        return stages.follow_markers(self.fitted, self.prepared)[0]

    def smoothed(self, raw: Motion) -> tuple[Motion, Array, Array]:
        """Low-pass and derivatives."""
        q, qd, qdd = smooth_derivatives(raw.time, raw.q, self.cutoff)
        return replace(raw, q=q), qd, qdd

    def dynamics(self, motion: tuple[Motion, Array, Array]) -> Any:
        """Inverse dynamics and the balance of the knees."""
        at, qd, qdd = motion
        force, moment = stages.external_forces(self.fitted, self.ground)
        found = self.fitted.body.inverse_dynamics(at.q, qd, qdd, force, moment)
        return found, balance_of(self.fitted.body, found, self.inputs.knees)

    def paths(self, q: Array, exact: bool = False) -> MusclePaths:
        """Lengths and moment arms of all muscles, fitted or exact."""
        if exact:
            return self.geometry.evaluate(q)
        patella = self.geometry.patella
        rotation = None if patella is None else self.fitted.body.poses(q)[0][:, patella]
        return self.fit.evaluate(q, rotation)

    def problem(
        self, motion: tuple[Motion, Array, Array], dynamics: Any, paths: MusclePaths
    ) -> RecruitmentProblem:
        """Fibre states and what recruitment needs."""
        at, qd, _ = motion
        found, balance = dynamics
        body, parameters = self.fitted.body, self.inputs.parameters
        velocity = lengthening_velocity(paths, qd)
        ankle = found.tau[:, [body.coordinate(f"ankle_angle_{s}") for s in SIDES]]
        state = elastic_pass(parameters, paths, velocity, ankle, at.time)
        volume = parameters.max_isometric_force * parameters.optimal_fiber_length
        return RecruitmentProblem(
            at.time,
            self.weight,
            paths,
            capacity(parameters, state),
            found.tau,
            balance,
            volume / volume.mean(),
        )

    def recruited(self, problem: RecruitmentProblem, dynamics: Any) -> Any:
        """Muscle forces and knee loads."""
        found = recruit(problem, RecruitmentSettings.of(self.settings))
        return found, knee_loads(found, dynamics[1], problem.paths, self.ground.masked)

    def run(self, exact: bool = False, note: Callable[[str], None] | None = None) -> Any:
        """All stages, after the motion by pieces of frames as long recordings are.

        With `note` every stage goes over the whole recording before the next one begins,
        and `note` is told its name when it is done.
        """
        raw = self.kinematics()
        if note is None:
            motion = self.smoothed(raw)
            frames = len(motion[0].time)
            return over_pieces(
                lambda start, stop: self.piece(motion, start, stop, exact), frames, PIECE
            )
        note("inverse kinematics")
        motion = self.smoothed(raw)
        note("filter and derivatives")
        dynamics = self.dynamics(motion)
        note("inverse dynamics")
        paths = self.paths(motion[0].q, exact)
        note("muscle paths")
        problem = self.problem(motion, dynamics, paths)
        note("fibre states")
        out = self.recruited(problem, dynamics)
        note("recruitment and knee loads")
        return out

    def piece(
        self, motion: tuple[Motion, Array, Array], start: int, stop: int, exact: bool = False
    ) -> Any:
        """Inverse dynamics to knee loads of frames start to stop; neighbours tell rates."""
        whole, qd, qdd = motion
        first, last = max(start - MARGIN, 0), min(stop + MARGIN, len(whole.time))
        at = slice(first, last)
        part = (replace(whole, time=whole.time[at], q=whole.q[at]), qd[at], qdd[at])
        here = replace(self, ground=self.ground.window(first, last))
        dynamics = here.dynamics(part)
        problem = here.problem(part, dynamics, here.paths(part[0].q, exact))
        inner = problem.window(start - first, stop - first)
        found = recruit(inner, RecruitmentSettings.of(self.settings))
        masked = self.ground.masked[start:stop]
        return found, knee_loads(found, inner.balance, inner.paths, masked)
