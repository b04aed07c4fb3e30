"""`kneestride animate`: the skeleton with colour-coded stress, as picture, film or file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..errors import SettingsError
from .shared import Quiet, progress_bar


def animate(
    folder: Annotated[Path, typer.Argument(help="Results folder, or that of a simulation.")],
    out: Annotated[Path, typer.Option(help="File to write: .mp4 .png .blend .glb .usdc.")],
    channel: Annotated[str, typer.Option(help="Load to colour. Left out: the first.")] = "",
    camera: Annotated[
        str,
        typer.Option(
            help="frontal, legs, steps, sagittal, posterior, plateau, three_knees or orbit."
        ),
    ] = "frontal",
    look: Annotated[
        str,
        typer.Option(help="clinic, classroom, dark, print, patient; lesson: a captioned film."),
    ] = "classroom",
    storyboard: Annotated[
        Path | None, typer.Option(help="Film of your own shots (.toml); see docs/blender.md.")
    ] = None,
    runners: Annotated[
        str, typer.Option(help="Those in the picture, such as neutral,valgus. Left out: all.")
    ] = "",
    side: Annotated[str, typer.Option(help="Which knee the close-ups show, r or l.")] = "r",
    speed: Annotated[float, typer.Option(help="Share of real time.")] = 0.25,
    difference: Annotated[
        bool, typer.Option("--difference", help="Show each variant minus the first.")
    ] = False,
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    transparent: Annotated[bool, typer.Option("--transparent")] = False,
    frame: Annotated[
        int | None, typer.Option(help="Frame of a PNG. Left out: the peak load.")
    ] = None,
    quality: Annotated[str, typer.Option(help="preview (small, quick) or final.")] = "final",
    size: Annotated[
        str, typer.Option(help="Pixels, WIDTHxHEIGHT. Left out: 1280x720, preview 480x270.")
    ] = "",
    samples: Annotated[
        int | None, typer.Option(help="Of the renderer; more is finer. Left out: 16 or 4.")
    ] = None,
    muscles: Annotated[str, typer.Option(help="auto, none, ligaments, knee or all.")] = "auto",
    geometry: Annotated[
        str,
        typer.Option(
            help="Folder of your own bone meshes (.vtp, .stl, .obj), or myo-sim. "
            "An OUT that ends in .npz is the scene with them, for the add-on."
        ),
    ] = "",
    quiet: Quiet = False,
) -> None:
    """Render the skeleton with colour-coded stress, or export it.

    Needs Blender's module (python3 scripts/bootstrap.py install). A film that was stopped
    goes on where it stopped.
    """
    width, cross, height = (size or "1280x720").lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise SettingsError(
            expected="--size WIDTHxHEIGHT in pixels",
            found=f"{size!r}",
            todo="write for example 1280x720",
        )
    if geometry:
        from ..results.geometry import write_own_scene

        folder, own = write_own_scene(folder, geometry, out)
        if not quiet:
            typer.echo("\n".join(own))
        if folder == out:
            return
    from ..animate import Look
    from ..animate import animate as run
    from ..lesson_film import LESSON, QUALITIES, film

    if quality not in QUALITIES:
        raise SettingsError("a known quality", f"'{quality}'", "choose one of those", QUALITIES)
    pixels = (int(width), int(height)) if size else None
    small = quality == "preview"
    notes: Sequence[str] = ()
    with progress_bar(quiet) as progress:
        told = (
            None if progress is None else (lambda done, total: progress("frames", done / total))
        )
        if storyboard is not None or look == LESSON:
            made, notes = film(
                folder,
                out,
                storyboard=storyboard,
                language=language,
                quality=quality,
                size=pixels,
                samples=samples,
                progress=told,
            )
        else:
            names = tuple(n.strip() for n in runners.split(",") if n.strip())
            chosen = Look(
                channel, camera, look, "aligned", speed, side, difference, language,
                transparent, names, muscles,
            )  # fmt: skip
            made = run(
                folder,
                out,
                chosen,
                size=pixels or ((480, 270) if small else (1280, 720)),
                samples=samples or (4 if small else 16),
                frame=frame,
                progress=told,
            )
    if not quiet:
        for line in (*notes, f"Written: {made}"):
            typer.echo(line)
