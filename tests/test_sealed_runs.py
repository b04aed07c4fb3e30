"""One recording analysed twice, in two worlds: the same figures, no network, no names.

The two runs differ in everything that must not matter: place of the files, language and
decimal sign, time zone, hash seed, number of workers.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from kneestride.demo import reference_recording, write_recording
from kneestride.motion.reference_capture import CaptureNoise
from sealed import sealed

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from fuzzing.seeds import c3d_file

PERSON = "Erika Mustermann"
NEEDLES = ("erika", "mustermann", "1964-08-12", "geheim")
PERSONAL = {"LOGNAME": "erika", "USER": "erika", "HOSTNAME": "praxis-mustermann"}


@dataclass(frozen=True)
class Two:
    """Both runs: results folders and what they said."""

    named: Path
    unnamed: Path
    said: tuple[str, str]


def _german(folder: Path) -> dict[str, str]:
    """A locale with a decimal comma, made where the system has its source."""
    if shutil.which("localedef") is None:
        return {}
    target = folder / "locales"
    target.mkdir()
    made = subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", str(target / "de_DE.UTF-8")],
        capture_output=True,
        check=False,
    )
    if made.returncode not in (0, 1) or not (target / "de_DE.UTF-8").is_dir():
        return {}
    return {"LOCPATH": str(target), "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    base = tmp_path_factory.mktemp("sealed")
    reference, recording = reference_recording(strides=1, noise=CaptureNoise(), seed=1)
    files = write_recording(base / "plain", reference, recording)
    markers = recording.trial.markers
    points = np.nan_to_num(markers.positions)
    labels = [f"{PERSON.split()[0]}:{name}" for name in markers.names]
    person = base / "Prüfung ä (geheim)" / "Mustermann, Erika 1964-08-12"
    person.mkdir(parents=True)
    trial = person / "Erika_Mustermann_run.c3d"
    trial.write_bytes(c3d_file(points, labels=labels, subject=PERSON, rate=markers.rate))
    static = shutil.copy(files.static, person / "Mustermann_static.trc")
    forces = shutil.copy(files.forces, person / "Mustermann_grf.mot")
    common = ["--mass", files.mass, "--height", files.height, "--treadmill-speed", files.speed]
    common += ["--static", static, "--forces", forces]
    worlds = (
        ({"TZ": "Pacific/Chatham", "PYTHONHASHSEED": "1", **_german(base)}, ["--workers", 2],
         "Ergebnis 🦵 eins"),
        ({"TZ": "America/Caracas", "PYTHONHASHSEED": "77", "LC_ALL": "C"},
         ["--workers", 1, "--anonymous"], "two"),
    )  # fmt: skip
    out, said = [], []
    for world, words, name in worlds:
        target = base / name
        done = sealed(
            base / f"world-{name}", "analyse", trial, *common, *words, "--out", target,
            more=world | PERSONAL, cwd=base,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        out.append(target)
        said.append(done.stdout)
    return Two(out[0], out[1], (said[0], said[1]))


def _figures(path: Path) -> bytes:
    """A table from its header's end on (its title tells the recording)."""
    data = path.read_bytes()
    return data[data.index(b"endheader") :] if b"endheader" in data else data


def test_the_same_figures_byte_by_byte_in_both_worlds(two: Two) -> None:
    tables = [p.name for p in two.named.iterdir() if p.suffix in (".mot", ".sto", ".csv")]
    assert {"ik.mot", "id.sto", "knee_loads.sto", "muscle_forces.sto", "strides.csv"} <= set(
        tables
    )
    for name in tables:
        assert _figures(two.named / name) == _figures(two.unnamed / name), name
    with np.load(two.named / "scene.npz") as a, np.load(two.unnamed / "scene.npz") as b:
        assert a.files == b.files
        for name in a.files:
            if name != "about":
                np.testing.assert_array_equal(a[name], b[name])
    numbers = [json.loads((f / "summary.json").read_text()) for f in (two.named, two.unnamed)]
    for section in ("sides", "frames", "settings", "subject"):
        assert numbers[0].get(section) == numbers[1].get(section), section


def test_a_decimal_comma_reaches_no_file(two: Two) -> None:
    for name in ("knee_loads.sto", "ik.mot"):
        assert b"," not in _figures(two.named / name)


def test_anonymous_results_hold_no_name_and_no_path(two: Two) -> None:
    _, said = two.said
    # The person chose the folder's name; the results themselves say nothing.
    told = {"stdout": said.lower().replace(str(two.unnamed).lower(), "")}
    places = [*NEEDLES, str(two.unnamed.parent).lower(), "/tmp/", "/home/", "/root/"]
    for path in (p for p in two.unnamed.rglob("*") if p.is_file()):
        for where, text in _all_texts(path):
            told[f"{path.name} {where}"] = text
    for where, text in told.items():
        for needle in places:
            assert needle not in text, (where, needle)
    # The same search finds the name where it is meant to be.
    named = "".join(t for p in two.named.rglob("*") if p.is_file() for _, t in _all_texts(p))
    assert "mustermann" in named


def test_reports_without_a_name(two: Two, tmp_path: Path) -> None:
    files = [tmp_path / "report.html", tmp_path / "report.pdf"]
    words = [w for file in files for w in ("--out", file)]
    done = sealed(tmp_path / "world", "report", two.named, *words, "--anonymous", "--quiet")
    assert done.returncode == 0, done.stderr
    for path in files:
        for where, text in _all_texts(path):
            for needle in (*NEEDLES, "/tmp/"):
                assert needle not in text, (path.name, where, needle)


def test_simulating_and_comparing_open_no_socket(two: Two, tmp_path: Path) -> None:
    variants, compared = tmp_path / "variants", tmp_path / "compared"
    words = ["--stride", "valgus", "--dose", 4, "--side", "r", "--out", variants, "--quiet"]
    for call in (
        ["simulate", two.named, *words],
        ["compare", two.named, variants / "valgus", "--out", compared, "--quiet"],
    ):
        done = sealed(tmp_path / "world", *call)
        assert done.returncode == 0, done.stderr
    assert (compared / "comparison.csv").is_file()


@pytest.mark.bpy
def test_drawing_in_blender_reaches_no_network(two: Two, tmp_path: Path) -> None:
    picture = tmp_path / "scene.glb"
    done = sealed(tmp_path / "world", "animate", two.named, "--out", picture, "--quiet")
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 1e5


def _all_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Everything in a file as lower-case text: packed parts unpacked, pictures' notes."""
    yield from _texts_in(path.read_bytes(), 0)


def _texts_in(data: bytes, depth: int) -> Iterator[tuple[str, str]]:
    yield "bytes", data.decode("utf-8", "ignore").lower()
    yield "utf-16", data.decode("utf-16-le", "ignore").lower()
    if depth > 3:
        return
    if data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for name in archive.namelist():
                yield "name", name.lower()
                yield from _texts_in(archive.read(name), depth + 1)
    for part in re.findall(rb"base64,([A-Za-z0-9+/=]{40,})", data):
        yield from _texts_in(base64.b64decode(part), depth + 1)
    if data.startswith((b"%PDF", b"\x89PNG")):
        for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
            unpacker = zlib.decompressobj()
            try:
                yield from _texts_in(unpacker.decompress(data[start.start() :]), depth + 1)
            except zlib.error:
                continue
