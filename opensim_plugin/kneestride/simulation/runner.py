"""The runner of a results folder: the fitted model and its landmarks, read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..capture.markersets import landmark_table, recognise
from ..capture.trial import Subject
from ..errors import ResultsError
from ..model.fitting import MOTION_SIGMA_DEG as SPREAD_DEG
from ..model.fitting import FittedSubject, pose_priors
from ..model.knee import KneeGeometry, read_knee
from ..model.multibody import Multibody
from ..model.osim import load_model
from ..model.places import expected_places
from ..model.strangers import check_model_text
from ..motion.anatomy import anatomical_paths
from ..motion.kinematics import AnatomicalPaths
from ..results.folder import Results
from ..settings import Settings
from ..temporary import temporary_folder
from ..vocabulary import SIDES, Array, Side


@dataclass(frozen=True)
class Runner:
    """A person's model as the chain uses it.

    Attributes
    ----------
    fitted : FittedSubject
    knees : mapping of side to KneeGeometry
    subject : Subject
    settings : Settings of the analysis
    task : str, as the analysis recognised it
    static_displacement : (2,) m, medial knee displacement in the static trial; NaN without
    """

    fitted: FittedSubject
    knees: dict[Side, KneeGeometry]
    subject: Subject
    settings: Settings
    task: str
    static_displacement: Array

    @property
    def body(self) -> Multibody:
        """The model as array functions."""
        return self.fitted.body

    def paths(self, time: Array, rate: float, q: Array) -> AnatomicalPaths:
        """Anatomical points and angles of a motion in the laboratory, forward along X."""
        return anatomical_paths(
            self.body,
            time,
            rate,
            q,
            self.fitted.landmarks,
            flexion_sign={s: self.knees[s].flexion_sign for s in SIDES},
            progression=np.array([1.0, 0.0, 0.0]),
            belt_velocity=np.zeros(3),
        )


def runner_of(results: Results) -> Runner:
    """Rebuild the runner from a results folder's model and summary.

    Raises
    ------
    ResultsError
        The results hold no ground reaction, without which nothing can be balanced.
    """
    if results.ground is None:
        raise ResultsError(
            "results with a ground reaction, measured or predicted",
            f"'{results.trial}' with joint angles alone",
            "analyse the trial again with --forces",
        )
    # The folder may come from anywhere, and damage to its model would end this process.
    check_model_text(results.model_xml, "model.osim")
    with temporary_folder() as folder:
        path = Path(folder) / "model.osim"
        path.write_text(results.model_xml, encoding="utf-8")
        model = load_model(path)
        body = Multibody.from_osim(model)
    labels, bodies, stations = _markers(model, body)
    places = dict(expected_places(body, landmark_table()))
    for label, landmark in recognise(labels).landmarks.items():
        if landmark in places:
            k = labels.index(label)
            places[landmark] = (bodies[k], stations[k])
    neutral, spread = pose_priors(body, SPREAD_DEG)
    fitted = FittedSubject(
        model, body, labels, np.array(bodies), np.array(stations), neutral, spread,
        None, {}, {}, {}, places,
    )  # fmt: skip
    return Runner(
        fitted,
        read_knee(model),
        results.subject,
        Settings.from_mapping(dict(results.settings)),
        str(results.summary.get("task", "running")),
        _static_displacement(results),
    )


def _markers(model: Any, body: Multibody) -> tuple[tuple[str, ...], list[int], list[Array]]:
    labels, bodies, stations = [], [], []
    markers = model.getMarkerSet()
    for i in range(markers.getSize()):
        marker = markers.get(i)
        frame = marker.getParentFrame().findBaseFrame().getName()
        if frame in body.bodies:
            place = marker.get_location()
            labels.append(str(marker.getName()))
            bodies.append(body.body(frame))
            stations.append(np.array([place.get(k) for k in range(3)]))
    return tuple(labels), bodies, stations


def _static_displacement(results: Results) -> Array:
    static = results.summary.get("static_alignment")
    if isinstance(static, dict) and "medial_knee_displacement_m" in static:
        return np.array([float(v) for v in static["medial_knee_displacement_m"]])
    return np.full(2, np.nan)
