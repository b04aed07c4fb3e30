"""The command line: `kneestride analyse`, `simulate`, `compare`, `study`, `report`, …

Exit status 0: done. 2: the call or the input is wrong, with one message on stderr that
says what was expected, what was found and what to do. 1: a defect of ours, with the
traceback that we need to mend it. 130: interrupted.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .errors import KneestrideError, SettingsError
from .temporary import temporary_folder

if TYPE_CHECKING:
    from .capture.trial import Subject
    from .results.folder import Results

Progress = Callable[[str, float], None]
"""Called with the stage's name and the share of the whole work done, 0 to 1."""

NO_FORCES: Literal["none"] = "none"
MARKER_FILES = (".c3d", ".trc")
PREPARE = "kneestride.preparing:prepare"
SHORT = 20_000_000
"""Bytes; a longer recording is not passed from one process to another."""

# Workers share the frames; threads of the matrix library beside them would take each other's
# cores, and the last digits would depend on how many there are. Told before it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = typer.Typer(
    name="kneestride",
    help="Medial and lateral knee loads of a captured stride.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the results folder if it exists.")
]
Anonymous = Annotated[
    bool,
    typer.Option("--anonymous", help="Leave out names, file names and paths."),
]


def _version(show: bool) -> None:
    if show:
        from . import __version__

        typer.echo(f"kneestride {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Medial and lateral knee loads of a captured stride."""


@app.command()
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
    workers: Annotated[
        int | None, typer.Option(help="Processor cores to use. Left out: 2, or what there is.")
    ] = None,
    anonymous: Anonymous = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Analyse one recording: joint angles and knee loads.

    OUT becomes a results folder: figures as OpenSim tables, strides.csv, summary.json
    and report.html.
    """
    from .companion import ahead, start
    from .workers import limited_to

    with limited_to(workers):
        start()
    from .results.replace import check_target
    from .settings import Settings, check_subject, check_treadmill_speed

    subject = check_subject(mass, height, sex)
    check_treadmill_speed(treadmill_speed)
    if view is not None or trial.suffix.lower() not in MARKER_FILES or trial.is_dir():
        from .one_camera import is_picture

        if is_picture(trial, view):
            _analyse_picture(trial, subject, view, rate, out, overwrite, quiet, as_json)
            return
    settings = Settings.from_mapping(parse_settings(setting or ()))
    by_hand = None
    if corrections is not None:
        from .motion.corrections import read_corrections

        by_hand = read_corrections(corrections)
    target = check_target(out, overwrite)
    given = forces_argument(forces)
    with limited_to(workers):
        if _is_short(trial):
            ahead(PREPARE, trial, static, given, markers, settings, subject, rate)
    from .chain import analyse as run

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
        from .results.anonymous import anonymised
        from .results.scene_runner import with_scene

        named, results = results, anonymised(results)
        if named.scene is not None:
            results = with_scene(results)
    finish(results, target, overwrite, quiet, as_json)


def _is_short(trial: Path) -> bool:
    try:
        return trial.is_file() and trial.stat().st_size < SHORT
    except OSError:
        return False


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
    from .one_camera import analyse_picture
    from .results.picture_folder import write_picture
    from .results.replace import check_target

    target = check_target(out, overwrite)
    found = analyse_picture(trial, subject, view, rate)
    write_picture(target, found, overwrite)
    lines = [f"{found.trial}: {len(found.picture.time)} frames, {found.picture.view} view."]
    lines += [f"  warning: {warning}" for warning in found.warnings]
    tell(target, lines, quiet, as_json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path(
        "kneestride-demo"
    ),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Analyse the reference runner, whose capture the project itself makes.

    The results of an earlier demo are replaced; other folders only with --overwrite.
    """
    from .results.replace import check_target

    overwrite = overwrite or _is_demo(out)
    target = check_target(out, overwrite)

    from dataclasses import replace

    from .demo import demo_reference

    with (
        temporary_folder() as capture,
        progress_bar(quiet or as_json) as progress,
    ):
        results = demo_reference(Path(capture), progress=progress)
    results = replace(results, summary={**results.summary, _DEMO: True})
    finish(results, target, overwrite, quiet, as_json)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder for the variants; must not exist yet.")],
    results: Annotated[
        Path | None, typer.Argument(help="Results folder of a run or walk with forces.")
    ] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Take the reference runner instead.")
    ] = False,
    stride: Annotated[
        str, typer.Option(help="valgus, neutral, knee-out, crossover or all.")
    ] = "all",
    dose: Annotated[
        float | None,
        typer.Option(help="Degrees (valgus, knee-out) or mm (crossover), positive."),
    ] = None,
    side: Annotated[str, typer.Option(help="r, l or both.")] = "both",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Simulate the captured stride with the knee in, neutral or out, or the foot across.

    OUT holds original/, a results folder per variant, and comparison.csv. Everything in
    the variants is simulated and says so.
    """
    from .results.replace import check_target
    from .simulation.variants import chosen_variants

    variants = chosen_variants(stride, dose, side)
    _check_source(results, reference)
    target = check_target(out, overwrite)

    from .simulate import simulate as run
    from .simulate import write_simulation

    with (
        temporary_folder() as capture,
        progress_bar(quiet or as_json) as progress,
    ):
        source: Path | Results
        if results is None:
            from .demo import demo_reference

            source = demo_reference(Path(capture))
        else:
            source = results
        found = run(source, variants, progress=progress)
    write_simulation(target, found, overwrite)
    tell(target, found.lines(), quiet, as_json)


@app.command()
def sweep(
    out: Annotated[Path, typer.Option(help="Folder for the sweep; must not exist yet.")],
    results: Annotated[
        Path | None, typer.Argument(help="Results folder of a run or walk with forces.")
    ] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Take the reference runner instead.")
    ] = False,
    doses: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            metavar="NAME=FROM:TO:COUNT",
            help="Doses of valgus, knee-out (degrees) or crossover (mm), such as "
            "valgus=0:10:21, or a list as crossover=0,20,40; may be repeated. Left out: all.",
        ),
    ] = None,
    strides: Annotated[int, typer.Option(help="Strides, spread over the recording.")] = 10,
    solve: Annotated[
        int, typer.Option(help="Doses that are solved; those between are interpolated.")
    ] = 7,
    workers: Annotated[
        int | None, typer.Option(help="Processor cores to use. Left out: 2, or what there is.")
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Sweep doses over several strides: knee loads against how far the knee goes in or out.

    OUT holds sweep.csv (a row a variant, stride, dose, leg and load), sweep.png and
    summary.json with the interpolation's error. All of it is simulated.
    """
    from .results.replace import check_target
    from .sweep_command import check_counts, default_doses, parse_doses, run_sweep, write_sweep
    from .workers import limited_to

    asked = parse_doses(doses) if doses else default_doses()
    check_counts(strides, solve)
    _check_source(results, reference)
    target = check_target(out, overwrite)

    with (
        temporary_folder() as capture,
        limited_to(workers),
        progress_bar(quiet or as_json) as progress,
    ):
        source: Path | Results
        if results is None:
            from .demo import demo_reference

            source = demo_reference(Path(capture))
        else:
            source = results
        found = run_sweep(source, asked, strides, solve, progress)
    write_sweep(target, found, overwrite)
    tell(target, found.lines(), quiet, as_json)


def _check_source(results: Path | None, reference: bool) -> None:
    if reference == (results is not None):
        raise SettingsError(
            expected="either a results folder or --reference",
            found="both" if reference else "neither",
            todo="give the folder that kneestride analyse wrote, or --reference",
        )


@app.command()
def compare(
    results: Annotated[
        list[Path], typer.Argument(help="Results folders; the others against the first.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the comparison; must not exist yet.")],
    left_right: Annotated[
        bool, typer.Option("--left-right", help="Also the left leg against the right.")
    ] = False,
    pairing: Annotated[
        str | None,
        typer.Option(help="recording, session, day or person. Left out: told from the files."),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(help="stride, stance, repetition or landing. Left out: what all have."),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Compare analyses: variants, before and after, several captures; one alone: its legs.

    OUT holds comparison.csv with an interval for every difference, curves with bands and
    their test, plots and report.html.
    """
    from .results.replace import check_target

    target = check_target(out, overwrite)

    from .compare_command import compare_results, with_scene, write_comparison
    from .compare_command import pairing_argument as how
    from .compare_command import window_argument as what

    with progress_bar(quiet or as_json) as progress:
        found = compare_results(
            results,
            left_right=left_right,
            pairing=how(pairing),
            window=what(window),
            progress=progress,
        )
    found = with_scene(found)
    write_comparison(target, found, overwrite)
    tell(target, found.lines(), quiet, as_json)


@app.command()
def study(
    file: Annotated[Path, typer.Argument(help="Study file (.toml); see docs/studies.md.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the study. Left out: as the file says.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes to use. Left out: one a core.")
    ] = None,
    dask: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Run on this Dask cluster instead.")
    ] = "",
    anonymous: Anonymous = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run a study of many people and trials, or go on with an interrupted one.

    OUT holds trials/, a results folder each, doses/ and tables/: strides, medians, curves,
    effects as CSV and Parquet, and failures.csv.
    """
    from .study.command import run_study

    found = run_study(
        file,
        out=out,
        workers=workers,
        dask=dask or None,
        anonymous=anonymous,
        quiet=quiet or as_json,
    )
    tell(found.tables, found.lines(), quiet, as_json)


@app.command()
def report(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Results folder, or that of a simulation. Further ones are compared with it."
        ),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File to write: .html or .pdf; may be repeated. Left out: both."),
    ] = None,
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    anonymous: Anonymous = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write the report: a page for the patient, then the clinician's, then the methods.

    One HTML file that needs nothing else, a PDF of at most four pages, or both.
    """
    from .report.command import check_files, default_files, report_of, write_report
    from .report.words import language_argument

    spoken = language_argument(language)
    files = list(out or default_files(folders[0]))
    check_files(files, overwrite)
    write_report(report_of(folders, spoken, anonymous), files)
    if not quiet:
        for file in files:
            typer.echo(f"Written: {file}")


@app.command()
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
        from .results.geometry import write_own_scene

        folder, own = write_own_scene(folder, geometry, out)
        if not quiet:
            typer.echo("\n".join(own))
        if folder == out:
            return
    from .animate import Look
    from .animate import animate as run
    from .lesson_film import LESSON, QUALITIES, film

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


@app.command("app")
def desktop(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Recording, ground forces, saved work or results folder."),
    ] = None,
) -> None:
    """Open the desktop app."""
    try:
        import PyQt5  # noqa: F401
        import pyqtgraph  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "the packages PyQt5 and pyqtgraph",
            f"an environment without {error.name}",
            "install kneestride with the extra 'app'",
        ) from error
    from .app.main import run

    raise typer.Exit(run(files or ()))


def tell(target: Path, lines: Sequence[str], quiet: bool, as_json: bool) -> None:
    """Print what a written folder holds: its summary, or some lines and its place."""
    if as_json:
        typer.echo((target / "summary.json").read_text(encoding="utf-8").strip())
    elif not quiet:
        for line in (*lines, f"Results: {target}"):
            typer.echo(line)


_DEMO = "demo"


def _is_demo(folder: Path) -> bool:
    """Tell whether a folder holds the results of an earlier demo."""
    try:
        return json.loads((folder / "summary.json").read_text())[_DEMO] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def parse_settings(pairs: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE texts as a mapping.

    Raises
    ------
    SettingsError
        A text without '=', or the same name twice.
    """
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            raise SettingsError(
                expected="--set NAME=VALUE",
                found=f"{pair!r}",
                todo="write for example cutoff_hz=12",
            )
        if name in values:
            raise SettingsError(
                expected="each setting once", found=f"{name!r} twice", todo="drop one of them"
            )
        values[name] = value
    return values


def forces_argument(text: str | None) -> Path | Literal["none"] | None:
    """Return `--forces` as the chain wants it: a file, 'none', or None for the plates."""
    if text is None:
        return None
    return NO_FORCES if text.lower() == NO_FORCES else Path(text)


@contextmanager
def progress_bar(silent: bool) -> Iterator[Progress | None]:
    """Give a callback that draws a bar on the terminal, or None where nobody watches."""
    if silent or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(stage: str, share: float) -> None:
            bar.update(task, description=stage, completed=min(max(share, 0.0), 1.0))

        yield show


def finish(results: Results, target: Path, overwrite: bool, quiet: bool, as_json: bool) -> None:
    """Write the results folder and tell what was found."""
    from .results.folder import write_results

    write_results(target, results, overwrite)
    summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
    elif not quiet:
        for line in closing_lines(summary, target):
            typer.echo(line)


def closing_lines(summary: dict[str, Any], target: Path) -> Iterator[str]:
    """Yield what a person wants to read when the work is done."""
    from .report.console import figure_lines

    yield f"{summary['trial']}: {summary['frames']} frames, ground forces {summary['forces']}."
    yield from figure_lines(summary)
    for check in summary["checks"]:
        if check["verdict"] != "pass":
            yield f"  check {check['name']}: {check['verdict']}. {check['sentence']}"
    for warning in summary["warnings"]:
        yield f"  warning: {warning}"
    yield f"Results: {target}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status (see the module's first lines)."""
    command = typer.main.get_command(app)
    try:
        command.main(None if arguments is None else list(arguments), prog_name="kneestride")
    except KneestrideError as error:
        print(f"kneestride: {error}", file=sys.stderr)
        return 2
    except SystemExit as end:
        # How typer ends: 0, 2 for a wrong call, and 1 only when interrupted.
        return 130 if end.code == 1 else int(end.code or 0)
    except Exception:
        traceback.print_exc()
        print("kneestride: this is a defect of ours, please report it.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
