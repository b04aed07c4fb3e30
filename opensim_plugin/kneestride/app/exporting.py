"""Data and scene of a results folder, for other programs."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from ..errors import ResultsError, SettingsError

TABLES = (".csv", ".sto", ".mot", ".json", ".osim")


def export_data(results: Path, out: Path) -> Path:
    """Pack every table of a results folder, `summary.json` and the model into a .zip.

    Raises
    ------
    SettingsError
        `out` is no .zip.
    ResultsError
        `results` is no results folder, or `out` cannot be written.
    """
    if out.suffix.lower() != ".zip":
        raise SettingsError("a file to write as .zip", repr(out.name), "rename it", (".zip",))
    if not (results / "summary.json").is_file():
        raise ResultsError("a results folder", repr(results.name), "run the analysis first")
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(results.iterdir()):
                if file.suffix.lower() in TABLES:
                    archive.write(file, f"{results.name}/{file.name}")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _unwritten(out, error) from error
    return out


def export_scene(
    results: Path,
    out: Path,
    language: str = "en",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Copy the scene for the Blender add-on (.npz), or let Blender write .blend, .glb, .mp4.

    Raises
    ------
    KneestrideError
        No scene there, an unknown ending, or Blender's module is missing.
    """
    scene = results / "scene.npz"
    if out.suffix.lower() == ".npz":
        if not scene.is_file():
            raise ResultsError("results with a scene", repr(results.name), "analyse it again")
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(scene, part)
            part.replace(out)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise _unwritten(out, error) from error
        return out
    from ..animate import Look, animate

    return animate(results, out, Look(language=language), size=(640, 360), samples=4,
                   progress=progress)  # fmt: skip


def _unwritten(out: Path, error: OSError) -> ResultsError:
    return ResultsError(
        "a folder that can be written to",
        f"{out.parent.name or '.'!r}: {error.strerror or error}",
        "choose another place",
    )
