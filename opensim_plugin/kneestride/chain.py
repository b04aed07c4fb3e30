"""`analyse`: the whole way from a capture to a results folder's contents.

capture ─► model ─► motion ─► loads ─► results
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import outcome, stages
from .capture.trial import Markers, Trial
from .companion import later, load, stop
from .keypoint_stages import blank_unseen
from .loads.ground import GroundSettings, MeasuredGround, measure_ground
from .loads.ground_estimate import EstimatedGround, NoGround
from .loads.ground_lag import estimate_lag
from .loads.model_spread import model_spread
from .model.fitting import FittedSubject, fit_subject, quiet_mean
from .model.known import person as known_person
from .model.known import remember as remember_person
from .motion.alignment import static_alignment
from .motion.anatomy import anatomical_paths
from .motion.contacts import Contacts
from .motion.corrections import Corrections
from .motion.events import events_from_force, events_from_kinematics
from .motion.kinematics import AnatomicalPaths
from .motion.stride_rows import class_shares, stride_rows
from .motion.tasks import recognise_task
from .recording_checks import recording_checks
from .results.folder import Results
from .results.scene_lines import sample_times
from .results.scene_runner import drawn_later, with_scene
from .results.tables import Table
from .scratch import LONG, kept
from .settings import Settings, check_subject, check_treadmill_speed
from .vocabulary import GRAVITY, SIDES
from .without_plates import error_runs, ground_without_plates

Progress = Callable[[str, float], None]
MUSCLE_LINES = "kneestride.model.lines"
"""What the companion draws a new person's muscles with; it takes a second to load."""
FAST_TASKS = ("running", "landing")
LAG_LOOK = 0.010
"""s; lags between markers and forces below this cannot be told from the method's own error."""


def analyse(
    trial: Path | Trial,
    *,
    static: Path | Trial | None = None,
    forces: Path | Literal["none"] | None = None,
    mass: float,
    height: float,
    sex: str = "",
    treadmill_speed: float | None = None,
    model: Path | None = None,
    markers: Path | None = None,
    rate: float | None = None,
    settings: Settings | None = None,
    corrections: Corrections | None = None,
    progress: Progress | None = None,
) -> Results:
    """Analyse one recording.

    Parameters
    ----------
    trial : path of a .c3d or .trc file, or a Trial; key points as .json, .csv or a folder
    static : path or Trial, optional
        Quiet standing with the same markers; without it the model is fitted to the motion.
    forces : path, 'none' or None
        Ground forces; None takes the capture's own, 'none' leaves them out.
    mass, height : float, kg and m
    sex : 'm', 'f' or ''
    treadmill_speed : float, m/s, optional; found from the feet when left out
    model : path of an .osim gait model, optional
    markers : path of a marker-set TOML, optional
    rate : float, Hz, optional; frame rate of key points whose file does not tell it
    settings : Settings, optional
    corrections : Corrections, optional; contacts and plates that a person put right
    progress : callable of (stage, share), optional

    Returns
    -------
    Results
        Write them with `results.folder.write_results`.

    Raises
    ------
    KneestrideError
        When the input cannot be used; the message says what to do.
    """
    settings = settings or Settings()
    corrections = corrections or Corrections()
    subject = check_subject(mass, height, sex)
    speed = check_treadmill_speed(treadmill_speed)
    watch = stages.Stopwatch(progress)
    with watch.stage("read"):
        asked = (trial, static, forces, markers, settings, subject, rate)
        if isinstance(trial, Trial) or isinstance(static, Trial):
            prepared = stages.prepare(*asked)
        else:
            # The command line has begun it while this module was loaded.
            prepared = later(stages.prepare, *asked)()
        if speed is not None:
            prepared = replace(prepared, frame=stages.with_belt_speed(prepared.frame, speed))
        prepared = kept(prepared)
    with watch.stage("fit"):
        who = stages.person_key(model, prepared, subject, settings)
        known = known_person(who)
        if known is None:
            load(MUSCLE_LINES)
            known = fit_subject(
                stages.generic_model(model, settings),
                subject,
                prepared.trial.markers,
                prepared.names,
                prepared.static,
                prepared.static_names,
            )
            stages.apply_knee_settings(known, settings)
            remember_person(who, known)
        fitted = known
    with watch.stage("kinematics"):
        raw, tasks, followed, priors = stages.follow_markers(fitted, prepared)
        first = stages.smooth(fitted, prepared, raw, stages.FAST_CUTOFF)
        task = recognise_task(first.paths, events_from_kinematics(first.paths))
        cutoff = settings.cutoff_hz or (
            stages.FAST_CUTOFF if task in FAST_TASKS else stages.SLOW_CUTOFF
        )
        if prepared.keypoints is not None:
            cutoff = min(cutoff, prepared.keypoints.smoothed.cutoff)
        smooth = first if cutoff == stages.FAST_CUTOFF else None
        # Two sets of anatomical paths are more than anything else of a long recording.
        del first
        smooth = smooth or stages.smooth(fitted, prepared, raw, cutoff)
        kinematics = stages.Kinematics(
            raw, smooth.motion, smooth.qd, smooth.qdd, smooth.paths, tasks, followed, priors
        )
        del smooth
    static_paths = _static_paths(fitted, prepared.static)
    measured: MeasuredGround | None = None
    estimated: EstimatedGround | NoGround | None = None
    warnings: list[str] = [*fitted.warnings, *corrections.notes()]
    with watch.stage("ground"):
        if prepared.trial.forces is not None:
            measured = measure_ground(
                prepared.trial.forces,
                kinematics.paths,
                subject.mass,
                GroundSettings(
                    cutoff=cutoff,
                    contact_lower=settings.contact_off_n,
                    contact_upper=settings.contact_on_n,
                    centre_of_pressure_above=settings.pressure_centre_n,
                ),
                corrections,
            )
        elif prepared.rooted:
            estimated = NoGround("They need the body's path through space.")
        else:
            estimated = ground_without_plates(
                fitted, prepared, raw, kinematics, task, cutoff, subject, settings, corrections
            )
            if isinstance(estimated, EstimatedGround):
                measured = estimated.ground
        if isinstance(estimated, EstimatedGround):
            contacts = estimated.contacts
        else:
            clock = kinematics.paths.time
            contacts = corrections.of_contacts(
                _contacts(kinematics.paths, measured, subject.mass * GRAVITY),
                float(clock[0]),
                float(clock[-1]),
            )
        rows = stride_rows(
            kinematics.paths,
            contacts,
            task=task,
            sex=subject.sex,
            pressure=None if measured is None else measured.reaction.point,
        )
        seen = stages.seen_by_keypoints(fitted, prepared, kinematics)
        if seen is not None:
            rows = blank_unseen(rows, seen)
            warnings += seen.warnings()
    text = fitted.xml
    shown = sample_times(kinematics.motion.time, rows)
    drawn = drawn_later(text, kinematics.motion.coordinates, kinematics.motion.q[shown])
    log = [*prepared.notes, *fitted.notes, f"Task: {task}. Low-pass {cutoff:g} Hz."]
    common: dict[str, Any] = {
        "trial": prepared.trial.name,
        "subject": subject,
        "motion": kinematics.motion,
        "coupled": _coupled(fitted, kinematics),
        "markers": kinematics.markers,
        "marker_weights": dict.fromkeys(kinematics.tasks.names, 1.0),
        "coordinate_weights": {
            n: float(w)
            for n, w, f in zip(
                kinematics.motion.coordinates, priors.weight, priors.free, strict=True
            )
            if f
        },
        "settings": settings.to_dict(),
        "sources": prepared.trial.sources,
    }
    summary: dict[str, object] = {
        **({} if seen is None else {"keypoints": seen.summary()}),
        **({"corrections": corrections.to_dict()} if corrections else {}),
        "task": task,
        "cutoff_hz": cutoff,
        "fit": _fit_summary(fitted),
        "static_alignment": _static_summary(static_paths),
        "classes": {
            side: {
                column: class_shares([r for r in rows if r["side"] == side], column)
                for column in ("alignment", "landing")
            }
            for side in SIDES
        },
    }
    held = [
        n
        for n, i in zip(kinematics.motion.coordinates, kinematics.motion.informed, strict=True)
        if not i
    ]
    if held:
        warnings.append(
            "No marker informs these coordinates, which are held at their default: "
            + ", ".join(held)
            + "."
        )
    if measured is None:
        found = outcome.checks(kinematics, None, None, None, subject.height, cutoff)
        found += recording_checks(kinematics.paths, contacts, None, task, subject)
        return with_scene(
            Results(
                **common,
                model_xml=text,
                strides=tuple({**r, "forces": "none"} for r in rows),
                timing=watch.seconds,
                checks=found,
                warnings=(
                    *warnings,
                    "No ground forces: joint angles and alignment only, no loads.",
                    *([estimated.reason] if isinstance(estimated, NoGround) else []),
                ),
                log=tuple(log),
                summary=summary,
            ),
            drawn,
        )
    ground = measured.reaction
    inputs = stages.load_inputs(fitted, subject, settings)
    loads = stages.loads_of_motion(
        fitted,
        inputs,
        subject,
        kinematics.motion,
        kinematics.qd,
        kinematics.qdd,
        ground,
        settings,
        watch,
    )
    if len(kinematics.motion.time) > LONG:
        # The second process has drawn by now; what else it could do is not worth its memory.
        lines = drawn()
        stop()
        drawn = partial(_same, lines)
    with watch.stage("results"):
        body_weight = subject.mass * GRAVITY
        loaded = outcome.with_loads(
            rows, loads, body_weight, "predicted" if ground.predicted else "measured"
        )
        reference = stages.static_muscle_lengths(fitted, inputs)
        found_tissues = outcome.tissue_loads(
            subject,
            kinematics,
            inputs,
            loads,
            ground,
            static_paths,
            reference,
            prepared.names.landmarks.values(),
        )
        at = [fitted.body.coordinate(n) for n in stages.PELVIS]
        found = outcome.checks(
            kinematics, loads, measured, loads.dynamics.tau[:, at], subject.height, cutoff
        )
        found += recording_checks(kinematics.paths, contacts, measured, task, subject)
        doubt = None
        if isinstance(estimated, EstimatedGround):
            span = outcome.representative(len(ground.time), 1.0 / kinematics.motion.rate)
            doubt = outcome.GroundDoubt(
                error_runs(fitted, inputs, kinematics, loads, ground, estimated.error, *span),
                estimated.error.lasting,
            )
        summary["uncertainty"] = outcome.intervals(
            loaded, kinematics, inputs, loads, ground, subject, settings, doubt
        )
        if model is None and (spread := model_spread(task)):
            summary["model_uncertainty"] = spread
        summary["ground"] = dict(measured.figures)
        if isinstance(estimated, EstimatedGround):
            summary["ground_method"] = estimated.method
            warnings += estimated.warnings
        summary["tissue_notes"] = list(found_tissues.notes)
        if prepared.trial.forces is not None:
            lag = estimate_lag(
                prepared.trial.forces, kinematics.paths, subject.mass, ground.masked
            )
            summary["marker_force_lag_s"] = lag.seconds
            if np.isfinite(lag.seconds) and abs(lag.seconds) > LAG_LOOK:
                warnings.append(
                    f"{lag.sentence} 10 ms moves a running peak by about 1.5 body weights: "
                    "check the synchronisation."
                )
        warnings += [c.sentence for c in found if c.verdict == "fail"]
    done = Results(
        **common,
        model_xml=inputs.xml,
        inverse_dynamics=Table(
            fitted.body.full_coordinates, kinematics.motion.time, loads.dynamics.tau_full
        ),
        ground=ground,
        muscles=loads.recruited.muscles,
        knee=loads.knee,
        unpowered=Table(
            fitted.body.coordinates,
            kinematics.motion.time,
            kept(loads.dynamics.tau - loads.muscle_moment),
        ),
        tissues=Table(found_tissues.names, found_tissues.time, found_tissues.values),
        strides=loaded,
        timing=watch.seconds,
        checks=found,
        warnings=tuple(warnings),
        log=(*log, *ground.notes, *([loads.path_report.note] if loads.path_report else [])),
        summary=summary,
    )
    # A long recording is released before its scene is drawn.
    del kinematics, loads, prepared, raw
    return with_scene(done, drawn)


def _same[T](found: T) -> T:
    return found


def _contacts(
    paths: AnatomicalPaths, measured: MeasuredGround | None, body_weight: float
) -> Contacts:
    """Contacts from forces where both feet were measured throughout, else from the feet."""
    if measured is not None:
        ground = measured.reaction
        # Feet on unmeasured ground would read as flight.
        if float(ground.masked.mean()) < 0.02:
            found = events_from_force(paths.time, ground.force[:, :, 1], body_weight)
            if found.found:
                return found
    return events_from_kinematics(paths)


def _static_paths(fitted: FittedSubject, static: Markers | None) -> AnatomicalPaths | None:
    if static is None or fitted.static_pose is None:
        return None
    mean = quiet_mean(static)
    knees = fitted.knees
    return anatomical_paths(
        fitted.body,
        mean.time,
        mean.rate,
        fitted.static_pose[None],
        fitted.landmarks,
        flexion_sign={s: knees[s].flexion_sign for s in SIDES},
        progression=np.array([1.0, 0.0, 0.0]),
        belt_velocity=np.zeros(3),
    )


def _coupled(fitted: FittedSubject, kinematics: stages.Kinematics) -> Table | None:
    body = fitted.body
    which = [i for i, n in enumerate(body.full_coordinates) if n not in body.coordinates]
    if not which:
        return None
    names = tuple(body.full_coordinates[i] for i in which)
    values = body.expand(kinematics.motion.q)[:, which]
    return Table(names, kinematics.motion.time, kept(values))


def _fit_summary(fitted: FittedSubject) -> dict[str, object]:
    return {
        "source": fitted.source,
        "lengths_mm": {
            name: {
                "value": round(1000 * x.value, 1),
                "standard_error": round(1000 * x.error, 1),
            }
            for name, x in fitted.lengths.items()
        },
        "scale_factors": {
            body: [round(float(v), 5) for v in factors]
            for body, factors in fitted.scale.items()
        },
        "marker_offset_mm": {n: round(1000 * v, 2) for n, v in fitted.marker_offset.items()},
        "residual_mm": {n: round(1000 * v, 2) for n, v in fitted.residual.items()},
    }


def _static_summary(paths: AnatomicalPaths | None) -> dict[str, object] | None:
    if paths is None:
        return None
    found = static_alignment(paths)
    out: dict[str, object] = {}
    for name, value in vars(found).items():
        if isinstance(value, np.ndarray | tuple | list):
            out[name] = [
                float(v) if isinstance(v, float | np.floating) else str(v) for v in value
            ]
        elif isinstance(value, float | int | str):
            out[name] = value
    return out
