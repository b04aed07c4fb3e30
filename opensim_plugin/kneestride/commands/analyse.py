"""`kneestride analyse`: one recording, to a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shared import (
    Anonymous,
    Json,
    Overwrite,
    Quiet,
    Workers,
    finish,
    forces_argument,
    parse_settings,
    progress_bar,
    tell,
)

if TYPE_CHECKING:
    from ..capture.trial import Subject

MARKER_FILES = (".c3d", ".trc")
PREPARE = "kneestride.preparing:prepare"
SHORT = 20_000_000
"""Bytes; a longer recording is not read by one process for another, nor drawn beside it."""


def analyse(
    trial: Annotated[
        Path, typer.Argument(help="Recording: .c3d, .trc; key points: .json, .csv, folder.")
    ],
    mass: Annotated[float, typer.Option(help="Body mass, kg.")],
    height: Annotated[float, typer.Option(help="Body height, m.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; must not exist yet.")],
    static: Annotated[
        Path | None, typer.Option(help="Recording of quiet standing, to fit the model.")
    ] = None,
    forces: Annotated[
        str | None,
        typer.Option(
            help="Ground forces (.mot, .sto), or none. "
            "Left out: the C3D's own plates; without any they are predicted where that works."
        ),
    ] = None,
    sex: Annotated[str, typer.Option(help="m or f, if known.")] = "",
    treadmill_speed: Annotated[
        float | None, typer.Option(help="Belt speed, m/s. Left out: found from the feet.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Your own OpenSim gait model (.osim).")
    ] = None,
    markers: Annotated[
        Path | None, typer.Option(help="Your own marker set (.toml): name to landmark.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Frame rate of key points without times, Hz.")
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(help="One camera's key points: frontal or sagittal. Left out: told."),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option(help="Contacts and plates put right by hand (.toml); the app writes it."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    workers: Workers = None,
    anonymous: Anonymous = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Analyse one recording: joint angles and knee loads.

    OUT becomes a results folder: figures as OpenSim tables, strides.csv, summary.json
    and report.html.
    """
    from ..companion import ahead, start
    from ..workers import limited_to

    # A long recording needs the memory more than the wait for its drawings.
    if _size(trial) < SHORT:
        with limited_to(workers):
            start()
    from ..results.replace import check_target
    from ..settings import Settings, check_subject, check_treadmill_speed

    subject = check_subject(mass, height, sex)
    check_treadmill_speed(treadmill_speed)
    if view is not None or trial.suffix.lower() not in MARKER_FILES or trial.is_dir():
        from ..one_camera import is_picture

        if is_picture(trial, view):
            _analyse_picture(trial, subject, view, rate, out, overwrite, quiet, as_json)
            return
    settings = Settings.from_mapping(parse_settings(setting or ()))
    by_hand = None
    if corrections is not None:
        from ..motion.corrections import read_corrections

        by_hand = read_corrections(corrections)
    target = check_target(out, overwrite)
    given = forces_argument(forces)
    with limited_to(workers):
        if trial.is_file() and _size(trial) < SHORT:
            ahead(PREPARE, trial, static, given, markers, settings, subject, rate)
    from ..chain import analyse as run

    with limited_to(workers), progress_bar(quiet or as_json) as progress:
        results = run(
            trial,
            static=static,
            forces=given,
            mass=mass,
            height=height,
            sex=sex,
            treadmill_speed=treadmill_speed,
            model=model,
            markers=markers,
            rate=rate,
            settings=settings,
            corrections=by_hand,
            progress=progress,
        )
    if anonymous:
        from ..results.anonymous import anonymised
        from ..results.scene_runner import with_scene

        named, results = results, anonymised(results)
        if named.scene is not None:
            results = with_scene(results)
    finish(results, target, overwrite, quiet, as_json)


def _size(trial: Path) -> int:
    """Bytes of a file; 0 of what is none."""
    try:
        return trial.stat().st_size
    except OSError:
        return 0


def _analyse_picture(
    trial: Path,
    subject: Subject,
    view: str | None,
    rate: float | None,
    out: Path,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Analyse and write the key points of one camera."""
    from ..one_camera import analyse_picture
    from ..results.picture_folder import write_picture
    from ..results.replace import check_target

    target = check_target(out, overwrite)
    found = analyse_picture(trial, subject, view, rate)
    write_picture(target, found, overwrite)
    lines = [f"{found.trial}: {len(found.picture.time)} frames, {found.picture.view} view."]
    lines += [f"  warning: {warning}" for warning in found.warnings]
    tell(target, lines, quiet, as_json)
