"""What reads each format: the calls that the product makes, no deeper and no shallower."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADDON = Path(__file__).resolve().parents[2] / "blender_addon"

Reader = Callable[[Path], object]


def addon(name: str) -> Any:
    """A module of the Blender add-on that needs no Blender."""
    whole = f"kneestride_fuzzed_addon.{name}"
    if whole not in sys.modules:
        package = types.ModuleType("kneestride_fuzzed_addon")
        package.__path__ = [str(ADDON)]
        sys.modules.setdefault("kneestride_fuzzed_addon", package)
        importlib.import_module(whole)
    return sys.modules[whole]


def refusals() -> tuple[type[BaseException], ...]:
    """Errors that are messages for a person."""
    from kneestride.errors import KneestrideError

    return (
        KneestrideError,
        addon("scene_file").SceneError,
        addon("storyboard").StoryboardError,
    )


def _trial(path: Path) -> object:
    from kneestride.capture.read import read_trial

    return read_trial(path)


def _table(path: Path) -> object:
    if path.suffix == ".mot":
        from kneestride.capture.ground_forces import read_forces_with_notes

        return read_forces_with_notes(path)
    from kneestride.results.tables import read_table

    return read_table(path)


def _keypoints(path: Path) -> object:
    from kneestride.capture.keypoints import read_keypoints
    from kneestride.errors import CaptureError

    try:
        return read_keypoints(path)
    except CaptureError as error:
        if "--rate" not in str(error):
            raise
        return read_keypoints(path, 50.0)


def _marker_set(path: Path) -> object:
    from kneestride.capture.markersets import load_marker_set

    return load_marker_set(path)


def _study(path: Path) -> object:
    from kneestride.study.plan import read_plan

    return read_plan(path)


def _storyboard(path: Path) -> object:
    return addon("storyboard").read(path)


def _work(path: Path) -> object:
    from kneestride.app.work import open_work

    return open_work(path)


def _scene(path: Path) -> object:
    from kneestride.results.geometry import with_geometry

    addon("scene_file").read_scene(path)
    return with_geometry(path, path.parent / "bones")


def _stored(path: Path) -> object:
    if path.name.startswith("bones"):
        from kneestride.results.bones import load_bones

        return load_bones(path)
    if path.name.startswith("ground"):
        from kneestride.loads.ground_model import load_ground_model

        return load_ground_model.__wrapped__(path)
    from kneestride.model.path_store import PathCache

    return PathCache(path.parent).load(path.stem)


def _model(path: Path) -> object:
    from kneestride.model.multibody import Multibody
    from kneestride.model.strangers import load_strangers_model

    return Multibody.from_osim(load_strangers_model(path))


def _mesh(path: Path) -> object:
    from kneestride.results.geometry_files import read_mesh

    return read_mesh(path)


def _results(path: Path) -> object:
    from kneestride.results.folder import read_results

    return read_results(path)


READERS: dict[str, Reader] = {
    "trc": _trial, "c3d": _trial, "mot": _table, "keypoints-json": _keypoints,
    "keypoints-csv": _keypoints, "marker-set": _marker_set, "study": _study,
    "storyboard": _storyboard, "work": _work, "scene": _scene, "stored": _stored,
    "osim": _model, "vtp": _mesh, "stl": _mesh, "obj": _mesh, "results": _results,
}  # fmt: skip
NATIVE = ("c3d", "osim")
"""Formats that compiled code of others reads."""


def fork_instead_of_start() -> None:
    """Let the readers' child processes be forks of this one: the same code, 30 times faster.

    A reader starts `python -P child.py …` and looks at status, standard error and the file
    written. Here the same file's `main` runs in a fork with the packages already imported.
    """
    from kneestride.capture import c3d
    from kneestride.model import strangers

    import ezc3d  # noqa: F401  # isort: skip

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        script = Path(next(word for word in command if word.endswith(".py")))
        given = command[command.index(str(script)) + 1 :]
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            _as_child(script, given, into)
        os.close(into)
        with os.fdopen(out, "rb") as stream:
            said = stream.read()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(command, code, b"", said)

    fake = types.SimpleNamespace(
        run=run, TimeoutExpired=subprocess.TimeoutExpired, DEVNULL=subprocess.DEVNULL
    )
    for module in (c3d, strangers):
        vars(module)["subprocess"] = fake


def _as_child(script: Path, given: list[str], into: int) -> None:
    import runpy
    import signal

    status = 1
    try:
        os.dup2(into, 2)
        signal.alarm(60)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        sys.argv = [str(script), *given]
        runpy.run_path(str(script), run_name="__main__")
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
    finally:
        os._exit(status)
