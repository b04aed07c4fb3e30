"""`kneestride animate --look lesson`: a captioned film from a storyboard.

The add-on's `lesson.py` films it in Blender's own process, as `animate` has pictures made;
this module gives it the job and turns its refusals into the project's errors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .animate import Progress, addon_folder, need_blender, run_job, scene_of
from .errors import SettingsError
from .temporary import temporary_folder

QUALITIES = ("preview", "final")
LANGUAGES = ("en", "de")
LESSON = "lesson"
"""The look that asks for the lesson that comes with the add-on."""


def film(
    folder: Path,
    out: Path,
    *,
    storyboard: Path | None = None,
    language: str = "en",
    quality: str = "final",
    size: tuple[int, int] | None = None,
    samples: int | None = None,
    progress: Progress | None = None,
) -> tuple[Path, Sequence[str]]:
    """Film a storyboard, by default the lesson, of a folder of variants.

    Parameters
    ----------
    folder : folder that `kneestride simulate` wrote, or a scene.npz
    out : .mp4
    storyboard : TOML file (docs/blender.md); the lesson when left out
    language : 'en' or 'de'
    quality : 'preview' (480 x 270, 6 pictures a second, grainy) or 'final'
    size, samples : pixels and samples, in place of the quality's
    progress : called with (done, total)

    Returns
    -------
    Path of the film, and what was left out of it, a sentence each. A film that was stopped
    goes on where it stopped.

    Raises
    ------
    SettingsError
        Another ending, language or quality; a storyboard that cannot be filmed.
    ResultsError
        As `animate.animate`.
    """
    if out.suffix.lower() != ".mp4":
        raise SettingsError("a film that ends in .mp4", out.name, "rename it")
    for name, value, valid in (
        ("quality", quality, QUALITIES), ("language", language, LANGUAGES)
    ):  # fmt: skip
        if value not in valid:
            raise SettingsError(f"a known {name}", f"'{value}'", "choose one of those", valid)
    scene = scene_of(folder)
    if storyboard is not None and not storyboard.is_file():
        raise SettingsError("a storyboard file", f"none called '{storyboard}'", "give its path")
    need_blender()
    out.parent.mkdir(parents=True, exist_ok=True)
    board = storyboard or addon_folder() / "lesson.toml"
    job = {
        "path": str(scene.resolve()),
        "out": str(out.resolve()),
        "storyboard": str(board.resolve()),
        "language": language,
        "quality": quality,
        "size": list(size) if size else None,
        "samples": samples,
    }
    with temporary_folder() as temporary:
        file = Path(temporary) / "job.json"
        file.write_text(json.dumps(job), encoding="utf-8")
        notes = run_job(file, Path(temporary) / "errors.txt", progress)
    return out, notes
