"""What `bootstrap.py build` hands on: complete, and working with no source tree beside it.

The wheel goes into a new environment in a folder of its own. The packages that it needs
are those of the lock files, already installed and checked against their hashes: they are
put on the new environment's path by one line in a .pth file. Such a line does not carry
out the .pth files there, so the project installed in place for the tests stays out, which
a test below makes sure of. Installing all of it again would cost minutes and show nothing
about our wheel.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import kneestride
import numpy as np
import pytest
from kneestride.paths_of_data import models_folder
from kneestride.vocabulary import SIDES

pytestmark = pytest.mark.bpy
ROOT = Path(__file__).resolve().parents[1]
HERE = Path(kneestride.__file__).resolve().parent


def call(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of the source tree."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    (out / "kneestride-0.0.0.zip").write_text("of an older build")
    (out / "notes.txt").write_text("not ours")
    told = call(sys.executable, ROOT / "scripts/build_distribution.py", "--out", out, cwd=out)
    assert told.returncode == 0, told.stdout + told.stderr
    return out


@pytest.fixture(scope="module")
def clean(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs' folder of an environment that has the wheel and the locked packages."""
    place = tmp_path_factory.mktemp("clean") / "environment"
    assert call(sys.executable, "-m", "venv", "--without-pip", place, cwd=built).returncode == 0
    python = place / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    told = call(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet",
        "--no-deps", "--no-index", "--no-compile", wheel, cwd=built,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "locked.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    take_over_compiled_kernels(packages / "kneestride")
    return python.parent


def take_over_compiled_kernels(package: Path) -> None:
    """Let the new environment use what is compiled already: compiling takes a minute.

    Numba takes a compiled kernel for that of a source file of the same size and time. The
    sources are the same byte by byte, as `test_the_wheel_is_the_source_tree` makes sure.
    """
    for index in HERE.rglob("__pycache__/*.nb?"):
        module = index.parent.parent.relative_to(HERE)
        target = package / module / "__pycache__"
        target.mkdir(exist_ok=True)
        (target / index.name).write_bytes(index.read_bytes())
        source = index.name.split(".", 1)[0] + ".py"
        times = (HERE / module / source).stat()
        os.utime(package / module / source, ns=(times.st_atime_ns, times.st_mtime_ns))


def hidden(path: Path) -> bool:
    """Tell whether a file is some tool's own: compiled, or in a hidden folder."""
    return any(part == "__pycache__" or part.startswith(".") for part in path.parts)


def shipped() -> dict[str, Path]:
    """Every file of the source tree that the wheel has to hold, by its name there."""
    rooms = {"kneestride": HERE, "kneestride/_models": ROOT / "models",
             "kneestride/_blender_addon": ROOT / "blender_addon",
             "kneestride/_opensim_gui": ROOT / "opensim_plugin" / "opensim_gui"}  # fmt: skip
    return {
        f"{name}/{path.relative_to(room).as_posix()}": path
        for name, room in rooms.items()
        for path in room.rglob("*")
        if path.is_file() and not hidden(path.relative_to(room))
    }


def test_the_wheel_is_the_source_tree(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {n: archive.read(n) for n in archive.namelist() if ".dist-info/" not in n}
    wanted = shipped()
    assert set(held) == set(wanted)
    assert not [name for name, path in wanted.items() if path.read_bytes() != held[name]]
    assert {"kneestride/py.typed", "kneestride/_models/kneestride_runner.osim"} <= set(held)


def test_the_source_archive_holds_what_the_wheel_is_built_from(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert source.name == f"kneestride-{version}.tar.gz"
    wanted = {p.relative_to(ROOT).as_posix() for p in shipped().values()}
    assert wanted | {"setup.py", "LICENSE", "README.md", "CITATION.cff"} <= names
    assert not [name for name in names if name.startswith(("tests/real", ".venv"))]


def test_checksums_belong_to_the_files_and_only_an_older_build_is_replaced(built: Path) -> None:
    lines = (built / "SHA256SUMS").read_text().splitlines()
    sums = {name: value for value, name in (line.split("  ") for line in lines)}
    assert {name.rsplit(".", 1)[-1] for name in sums} == {"whl", "gz", "zip"}
    for name, value in sums.items():
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == value
    assert {p.name for p in built.iterdir()} == {*sums, "SHA256SUMS", "notes.txt"}


def test_the_extension_holds_the_add_on_and_one_version_is_told_everywhere(built: Path) -> None:
    (packed,) = built.glob("*.zip")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert packed.name == f"kneestride-blender-{version}.zip"
    with zipfile.ZipFile(packed) as archive:
        names = {n.split("/", 1)[-1] for n in archive.namelist() if not n.endswith("/")}
        manifest = next(n for n in archive.namelist() if n.endswith("blender_manifest.toml"))
        assert tomllib.loads(archive.read(manifest).decode())["version"] == version
    addon = ROOT / "blender_addon"
    assert names == {
        p.relative_to(addon).as_posix()
        for p in addon.rglob("*")
        if p.is_file() and not hidden(p.relative_to(addon))
    }
    assert kneestride.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()


def test_every_table_is_read_from_the_wheel_far_from_the_source(
    clean: Path, tmp_path: Path
) -> None:
    reader = tmp_path / "read.py"
    reader.write_text((ROOT / "tests" / "read_shipped_tables.py").read_text())
    told = call(clean / "python", "-I", reader, ROOT, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    place = clean.parent.resolve()
    assert place in Path(found["package"]).parents
    assert Path(found["models"]) == Path(found["package"]) / "_models"
    assert Path(found["addon"]) == Path(found["package"]) / "_blender_addon"
    assert found["touched"] == []
    assert found["muscles"] == 80
    # What no reader of the product opens: the guide, and the licence of the bones' source.
    assert [n for n in found["unread"] if not n.endswith(".md")] == []


def test_the_demo_from_the_wheel_is_complete_and_like_the_runners_it_stands_for(
    clean: Path, tmp_path: Path
) -> None:
    """Run in an empty folder, as somebody who installed the wheel does; then animate it."""
    told = call(clean / "kneestride", "--help", cwd=tmp_path)
    assert told.returncode == 0 and "analyse" in told.stdout and "animate" in told.stdout
    told = call(clean / "kneestride", "demo", "--quiet", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stdout == ""
    out = tmp_path / "kneestride-demo"
    names = {p.name for p in out.iterdir()}
    assert names >= {
        "summary.json", "strides.csv", "model.osim", "ik.mot", "id.sto", "ground_forces.mot",
        "muscle_forces.sto", "knee_loads.sto", "tissues.sto", "opensim_setup", "report.html",
        "log.txt",
    }  # fmt: skip
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["demo"] is True and summary["task"] == "running"
    assert summary["reference_runner"]["seed"] == 2017
    with (models_folder() / "reference_stride.toml").open("rb") as file:
        people = tomllib.load(file)["runners"]
    with (out / "strides.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["kind"] == "stride"]
    assert [sum(r["side"] == s for r in rows) for s in SIDES] == [12, 12]
    for name in ("total_peak_BW", "medial_peak_BW", "lateral_peak_BW"):
        lowest, _, highest = people[name]
        assert lowest < np.median([float(r[name]) for r in rows]) < highest
    check = {c["name"]: c["verdict"] for c in summary["checks"]}
    assert check["reserves"] == check["markers"] == check["masked"] == "pass"
    assert "kneestride" in (out / "log.txt").read_text(encoding="utf-8")
    told = call(clean / "kneestride", "animate", out, "--out", "runner.glb", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "runner.glb").read_bytes()[:4] == b"glTF"
