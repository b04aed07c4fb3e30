"""From a results folder's contents to a runner on stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..companion import later
from ..errors import ResultsError
from ..model.drawn import AttachedMesh, Line
from ..paths_of_data import models_folder
from ..vocabulary import GRAVITY, SIDES, Array
from .folder import Results, read_results
from .geometry import default_attachments
from .scene import CHANNELS, MAX_FRAMES, SceneRunner, build_scene, scene_bytes, write_scene
from .scene_lines import LinePaths, sample_times

if TYPE_CHECKING:
    from ..model.multibody import Multibody
    from ..model.stored import Shelf

MOST_RUNNERS = 12
"""As many as the add-on shows side by side."""


Drawn = tuple[tuple[Line, ...], tuple[AttachedMesh, ...]]
"""Muscle and ligament lines of a motion, and the meshes that the model names."""


def drawn_of(model_xml: str, coordinates: tuple[str, ...], q: Array) -> Drawn:
    """Ask OpenSim where muscles run; what takes longest in a scene.

    Parameters
    ----------
    model_xml : text of the .osim file
    q : (K, N) rad, m, columns `coordinates`, at the times of `scene_lines.sample_times`
    """
    from ..model.known import multibody_of, opened_text
    from ..model.lines import attached_meshes, lines_of

    store, key = _lines(model_xml, coordinates, q)
    found: Drawn | None = store.load(key)
    if found is None:
        body, model = multibody_of(model_xml), opened_text(model_xml)
        lines = lines_of(model, body, q[:, _order(body, coordinates)])
        found = lines, attached_meshes(model)
        store.save(key, found)
    return found


def drawn_later(model_xml: str, coordinates: tuple[str, ...], q: Array) -> Callable[[], Drawn]:
    """`drawn_of`, known from an earlier run or begun by the companion; call it for that."""
    store, key = _lines(model_xml, coordinates, q)
    found: Drawn | None = store.load(key)
    return (
        later(drawn_of, model_xml, coordinates, q) if found is None else partial(_same, found)
    )


def _lines(model_xml: str, coordinates: tuple[str, ...], q: Array) -> tuple[Shelf, str]:
    from ..model.known import shelf
    from ..model.stored import code_of, key_of

    return shelf("lines", (Line, AttachedMesh), 20), key_of(
        code_of("model"), model_xml, coordinates, q
    )


def _same[T](found: T) -> T:
    return found


def _order(body: Multibody, coordinates: tuple[str, ...]) -> list[int]:
    lacking = set(body.coordinates) - set(coordinates)
    if lacking:
        raise ResultsError(
            "a motion of every coordinate of the model",
            f"none of {', '.join(sorted(lacking))}",
            "analyse the trial again",
        )
    return [coordinates.index(c) for c in body.coordinates]


def thinning(frames: int) -> int:
    """Every how many-th frame of a recording is shown: all, unless a scene would refuse it.

    Evenly, so that a scene keeps one rate; half an hour at 150 Hz is shown at 50 Hz.
    """
    return -(-frames // MAX_FRAMES)


def runner_of(
    results: Results, name: str, label: str = "", drawn: Callable[[], Drawn] | None = None
) -> SceneRunner:
    """Gather poses and loads of one analysis or variant.

    Parameters
    ----------
    results : Results
    name : str, unique in the scene
    label : str, what a person reads; the trial's name when left out
    drawn : callable, optional
        Gives what `drawn_of` found for this motion, begun earlier.

    Raises
    ------
    ResultsError
        The motion's coordinates are not those of the model.
    """
    from ..model.known import multibody_of

    motion = results.motion
    body = multibody_of(results.model_xml)
    step = thinning(len(motion.time))
    shown = slice(None, None, step)
    rotation, position = body.poses(motion.q[shown, _order(body, motion.coordinates)])
    scale = size_of(
        body, multibody_of((models_folder() / "kneestride_runner.osim").read_text("utf-8"))
    )
    at = sample_times(motion.time, results.strides)
    lines, attached = (
        drawn() if drawn else drawn_of(results.model_xml, motion.coordinates, motion.q[at])
    )
    ground = results.ground
    if ground is not None and step > 1:
        ground = ground.every(step)
    return SceneRunner(
        name=name,
        label=label or results.trial,
        mass=results.subject.mass,
        bodies=body.bodies,
        time=motion.time[shown],
        rotation=rotation,
        position=position,
        scale=scale,
        channels={n: v[shown] for n, v in channels_of(results).items()},
        ground=ground,
        strides=results.strides,
        simulated=results.simulated,
        failed=tuple(c.name for c in results.checks if c.verdict == "fail"),
        lines=LinePaths(motion.time[at], lines, _activation(results, shown)),
        attached=attached or default_attachments(scale),
    )


def _activation(results: Results, shown: slice) -> dict[str, Array]:
    if results.muscles is None:
        return {}
    return dict(zip(results.muscles.muscles, results.muscles.activation[shown].T, strict=True))


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


def with_scene(results: Results, drawn: Callable[[], Drawn] | None = None) -> Results:
    """The same results with the content of their `scene.npz`; `drawn` as in `runner_of`."""
    runner = runner_of(results, "runner1", results.trial, drawn)
    scene = scene_bytes(build_scene([runner], title=results.trial))
    step = thinning(len(results.motion.time))
    if step > 1:
        rate = results.motion.rate / step
        told = f"The scene shows one frame of every {step} ({rate:g} Hz); tables hold all."
        results = replace(results, log=(*results.log, told))
    return replace(results, scene=scene)


def write_comparison_scene(
    path: Path,
    folders: Mapping[str, Path],
    title: str = "",
    differences: Sequence[Mapping[str, object]] = (),
) -> Path:
    """Write one scene of several results folders; the first is what others are compared with.

    Parameters
    ----------
    path : the scene.npz to write
    folders : label → results folder, in the order they stand side by side
    differences : see `build_scene`
    """
    runners = [
        runner_of(read_results(folder), f"runner{k + 1}", label)
        for k, (label, folder) in enumerate(folders.items())
    ]
    return write_scene(
        path, runners, title=title, model_name="kneestride_runner", differences=differences
    )


def comparison_scene(several: Mapping[str, Results], title: str = "") -> bytes:
    """Return the content of a scene.npz of several analyses, the first `MOST_RUNNERS` of them.

    Parameters
    ----------
    several : label → Results, in the order they stand side by side
    title : str
    """
    runners = [
        runner_of(results, f"runner{k + 1}", label)
        for k, (label, results) in enumerate(list(several.items())[:MOST_RUNNERS])
    ]
    return scene_bytes(build_scene(runners, title=title, model_name="kneestride_runner"))


def size_of(scaled: Multibody, generic: Multibody) -> dict[str, Array]:
    """Factors by which a model's bodies are larger than the generic model's.

    Parameters
    ----------
    scaled : the person's model
    generic : models/kneestride_runner.osim, to which the bone meshes belong

    Returns
    -------
    mapping of body to (3,) factors

    Notes
    -----
    Scaling multiplies every point that is fixed in a body: mass centre, joint frames on
    either side. Their ratio, least squares per axis, gives the factors back to the digits
    of the file, for any folder that holds a model. An axis that no point tells (or whose
    ratio is no person's, as in a model of another family) takes the mean of the others.
    """
    out = {}
    for name in scaled.bodies:
        if name not in generic.bodies:
            continue
        before, after = _fixed_points(generic, name), _fixed_points(scaled, name)
        if before.shape != after.shape:
            continue
        spread = np.einsum("pi,pi->i", before, before)
        ratio = np.einsum("pi,pi->i", before, after) / np.maximum(spread, 1e-12)
        told = (spread > 1e-8) & (ratio > 0.5) & (ratio < 2.0)
        mean = float(ratio[told].mean()) if told.any() else 1.0
        out[name] = np.where(told, ratio, mean)
    return out


def _fixed_points(body: Multibody, name: str) -> Array:
    """Mass centre and joint frames on a body, children in the order of their names."""
    index, tree = body.body(name), body.tree
    children = [c for c in sorted(body.bodies) if tree.parent[body.body(c)] == index]
    points = [tree.com[index], tree.position_bm[index]]
    points += [tree.position_pf[body.body(c)] for c in children]
    return np.stack(points)
