"""Pictures, films and 3D files of a results folder, rendered by Blender in a process apart.

The add-on's modules do the work; this module hands them a job and reports progress.
OpenSim and Blender's module are never imported into one process here: either may bring
libraries that the other does not expect, and a crash of the renderer must not take the
analysis with it.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .errors import ResultsError, SettingsError
from .temporary import temporary_folder
from .web_page import viewer_bundle, write_page

ENDINGS = (".mp4", ".png", ".blend", ".glb", ".usdc", ".html")
CAMERAS = (
    "frontal", "legs", "steps", "sagittal", "posterior", "plateau", "three_knees", "orbit",
)  # fmt: skip
LOOKS = ("clinic", "classroom", "dark", "print", "patient")
MUSCLES = ("auto", "none", "ligaments", "knee", "all")
ENGINES = ("CYCLES", "EEVEE", "WORKBENCH")
_PACKAGE = Path(__file__).resolve().parent
_MARK = "KNEESTRIDE "

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Look:
    """What to show; see the add-on's `stage.Choice`.

    Attributes
    ----------
    display : str, a display of the scene file; empty: its first
    camera : one of `CAMERAS`
    look : one of `LOOKS`; 'patient' has a camera, two knees and one sentence of its own
    timing : 'aligned' (stride against stride) or 'real'
    speed : share of real time
    side : 'r' or 'l'
    difference : show each runner minus the first
    language : 'en' or 'de'
    transparent : transparent background
    runners : labels of those in the picture, in its order; all of them when empty
    muscles : one of `MUSCLES`; 'auto' is what the view needs
    """

    display: str = ""
    camera: str = "frontal"
    look: str = "classroom"
    timing: str = "aligned"
    speed: float = 0.25
    side: str = "r"
    difference: bool = False
    language: str = "en"
    transparent: bool = False
    runners: tuple[str, ...] = ()
    muscles: str = "auto"

    def __post_init__(self) -> None:
        for name, valid in (
            ("camera", CAMERAS),
            ("look", LOOKS),
            ("timing", ("aligned", "real")),
            ("side", ("r", "l")),
            ("language", ("en", "de")),
            ("muscles", MUSCLES),
        ):
            value = getattr(self, name)
            if value not in valid:
                raise SettingsError(
                    f"a known {name}", f"'{value}'", "choose one of those", valid
                )
        if not 0.01 <= self.speed <= 4.0:
            raise SettingsError(
                "a speed between 0.01 and 4 times real time",
                f"{self.speed}",
                "give a share of real time, such as 0.25",
            )


def animate(
    folder: Path,
    out: Path,
    look: Look | None = None,
    *,
    size: tuple[int, int] = (1280, 720),
    engine: str = "CYCLES",
    samples: int = 16,
    frame: int | None = None,
    fps: int = 30,
    step: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Render or export a scene.

    Parameters
    ----------
    folder : results or comparison folder, or a scene.npz
    out : the file to write; its ending chooses what (`ENDINGS`)
    look : what to show
    size : (width, height) pixels
    engine : 'CYCLES' for final pictures; 'WORKBENCH' shows no load colours
    samples : of Cycles
    frame : Blender frame of a PNG; the first runner's peak load when left out
    fps : frames a second of the film; step : render every so many frames
    progress : called with (done, total)

    Returns
    -------
    Path of the file written. A film that was stopped goes on where it stopped.

    Raises
    ------
    SettingsError
        Unknown ending, engine or size.
    ResultsError
        No scene there, or one that the add-on refuses; Blender's module is missing or fails.
    """
    look = look or Look()
    if out.suffix.lower() not in ENDINGS:
        raise SettingsError(
            "a file that ends in one of the known ways", out.name, "rename it", ENDINGS
        )
    if engine not in ENGINES:
        raise SettingsError("a known renderer", f"'{engine}'", "choose one of those", ENGINES)
    if not all(16 <= n <= 8192 for n in size):
        raise SettingsError(
            "a picture of 16 to 8192 pixels a side", f"{size}", "give a smaller or larger one"
        )
    scene = scene_of(folder)
    need_blender()
    page = out.suffix.lower() == ".html"
    if page:
        viewer_bundle()  # before the work, not after it
    out.parent.mkdir(parents=True, exist_ok=True)
    job: dict[str, object] = {
        "path": str(scene.resolve()),
        "out": str(out.resolve()),
        "choice": asdict(look),
        "size": list(size),
        "engine": engine,
        "samples": samples,
        "frame": frame,
        "fps": fps,
        "step": step,
    }
    with temporary_folder() as temporary:
        file = Path(temporary) / "job.json"
        glb, told = Path(temporary) / "page.glb", Path(temporary) / "page.json"
        if page:
            job |= {"out": str(glb), "page_data": str(told)}
        file.write_text(json.dumps(job), encoding="utf-8")
        run_job(file, Path(temporary) / "errors.txt", progress)
        if page:
            write_page(out, glb, json.loads(told.read_text(encoding="utf-8")))
    return out


def scene_of(folder: Path) -> Path:
    """Scene file of a results folder, or the file itself.

    Raises
    ------
    ResultsError
        None there.
    """
    scene = folder / "scene.npz" if folder.is_dir() else folder
    if not scene.is_file():
        raise ResultsError(
            "a folder with a scene.npz",
            f"none in '{folder.name}'",
            "give the folder that kneestride analyse, simulate or compare wrote",
        )
    return scene


def need_blender() -> None:
    """Refuse, in words, where Blender's module is missing."""
    if importlib.util.find_spec("bpy") is None:
        raise ResultsError(
            "Blender's Python module (bpy 5.2)",
            "an environment without it",
            "install kneestride with the extra 'blender'",
        )


def addon_folder() -> Path:
    """Folder of the add-on's modules.

    Raises
    ------
    ResultsError
        Neither the packaged copy nor the checkout's `blender_addon/` is there.
    """
    for candidate in (_PACKAGE / "_blender_addon", _PACKAGE.parents[1] / "blender_addon"):
        if (candidate / "headless.py").is_file():
            return candidate
    raise ResultsError(
        "the add-on's modules that come with kneestride",
        "none beside or inside the package",
        "install kneestride again, or run it from a complete checkout",
    )


def run_job(job: Path, errors: Path, progress: Progress | None) -> tuple[str, ...]:
    """Let the add-on do a job in a process of its own.

    Returns
    -------
    What the add-on has to say of it, a sentence each.

    Raises
    ------
    ResultsError, SettingsError
        The scene, or the storyboard, is refused; Blender failed.
    """
    command = [sys.executable, str(addon_folder() / "headless.py"), str(job)]
    refusal = ""
    mistakes: list[dict[str, Any]] = []
    notes: tuple[str, ...] = ()
    with (
        errors.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
        ) as child,
    ):
        assert child.stdout is not None
        try:
            for line in child.stdout:
                if not line.startswith(_MARK):
                    continue
                told = json.loads(line[len(_MARK) :])
                refusal = told.get("error", refusal)
                mistakes = told.get("mistakes", mistakes)
                notes = tuple(told.get("notes", notes))
                if progress is not None and "done" in told:
                    progress(int(told["done"]), int(told["total"]))
        except BaseException:
            child.terminate()
            raise
    if mistakes:
        raise _storyboard_error(mistakes, refusal)
    if refusal:
        raise ResultsError("a scene that can be shown", refusal.rstrip("."), "write it again")
    if child.returncode != 0:
        last = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise ResultsError(
            "Blender to finish",
            f"exit status {child.returncode} ({' '.join(last) or 'no message'})",
            "try a smaller picture, or open the scene in Blender itself",
        )
    return notes


def _storyboard_error(mistakes: list[dict[str, Any]], sentences: str) -> SettingsError:
    if len(mistakes) > 1:
        return SettingsError(
            "a storyboard that can be filmed", sentences.rstrip("."), "correct the storyboard"
        )
    (one,) = mistakes
    return SettingsError(
        f"{one['expected']} in {one['where'][:1].lower()}{one['where'][1:]}",
        one["found"],
        "correct the storyboard",
        one["available"],
    )
