"""From a results folder's contents to a runner on stage."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import ResultsError
from ..vocabulary import GRAVITY, SIDES, Array
from .folder import Results, read_results
from .scene import CHANNELS, SceneRunner, write_scene


def runner_of(results: Results, name: str, label: str = "") -> SceneRunner:
    """Gather poses and loads of one analysis or variant.

    Parameters
    ----------
    results : Results
    name : str, unique in the scene
    label : str, what a person reads; the trial's name when left out

    Raises
    ------
    ResultsError
        The motion's coordinates are not those of the model.
    """
    from ..model.multibody import Multibody
    from ..model.osim import load_model

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.osim"
        path.write_text(results.model_xml, encoding="utf-8")
        body = Multibody.from_osim(load_model(path))
    motion = results.motion
    lacking = set(body.coordinates) - set(motion.coordinates)
    if lacking:
        raise ResultsError(
            "a motion of every coordinate of the model",
            f"none of {', '.join(sorted(lacking))}",
            "analyse the trial again",
        )
    order = [motion.coordinates.index(c) for c in body.coordinates]
    rotation, position = body.poses(motion.q[:, order])
    return SceneRunner(
        name=name,
        label=label or results.trial,
        mass=results.subject.mass,
        bodies=body.bodies,
        time=motion.time,
        rotation=rotation,
        position=position,
        scale=_scale(results.summary),
        channels=channels_of(results),
        ground=results.ground,
        strides=results.strides,
        simulated=results.simulated,
    )


def channels_of(results: Results) -> dict[str, Array]:
    """Every load that has a place on the bones: channel name → (T, 2)."""
    out: dict[str, Array] = {}
    if results.knee is not None:
        weight = results.subject.mass * GRAVITY
        out["medial_force"] = results.knee.medial / weight
        out["lateral_force"] = results.knee.lateral / weight
        out["patellofemoral_force"] = results.knee.patellofemoral / weight
    if results.tissues is not None:
        for channel in CHANNELS:
            columns = [f"{channel.name}_{side}_{channel.unit}" for side in SIDES]
            if channel.name not in out and set(columns) <= set(results.tissues.names):
                out[channel.name] = np.stack(
                    [results.tissues.column(c) for c in columns], axis=1
                )
    return {n: v for n, v in out.items() if np.isfinite(v).any()}


def write_comparison_scene(path: Path, folders: Mapping[str, Path], title: str = "") -> Path:
    """Write one scene of several results folders; the first is what others are compared with.

    Parameters
    ----------
    path : the scene.npz to write
    folders : label → results folder, in the order they stand side by side
    """
    runners = [
        runner_of(read_results(folder), f"runner{k + 1}", label)
        for k, (label, folder) in enumerate(folders.items())
    ]
    return write_scene(path, runners, title=title, model_name="kneestride_runner")


def _scale(summary: Mapping[str, object]) -> dict[str, Array]:
    fit = summary.get("fit")
    factors = fit.get("scale_factors") if isinstance(fit, Mapping) else None
    if not isinstance(factors, Mapping):
        return {}
    return {str(b): np.asarray(f, dtype=float) for b, f in factors.items()}
