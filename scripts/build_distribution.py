"""Build what is handed on: wheel, source archive, Blender extension, checksums.

    python3 scripts/bootstrap.py build [--out dist]

The wheel carries `models/` and the add-on (`setup.py`), so that it works with no source
tree beside it. The extension's zip is made by Blender's own tool, which comes with its
Python module. Nothing is downloaded: setuptools and the module are in the lock files.
The folder is filled under another name first; files of an older build are replaced,
anything else in it is left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKSUMS = "SHA256SUMS"


def blender_tool() -> Path:
    """Return Blender's tool for extensions, without starting Blender.

    Raises
    ------
    SystemExit
        Blender's module is not installed, or has no such tool.
    """
    found = importlib.util.find_spec("bpy")
    folder = Path(found.origin).parent if found is not None and found.origin else ROOT / "none"
    tools = sorted(folder.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    if not tools:
        raise SystemExit(
            "build: the extension needs Blender's Python module (bpy 5.2): "
            "run `python3 scripts/bootstrap.py install` first."
        )
    return tools[-1]


def run(command: Sequence[object]) -> None:
    """Run one builder; its output is shown only when it fails.

    Raises
    ------
    SystemExit
        It failed.
    """
    words = [str(word) for word in command]
    # The same sources give the same wheel, whatever the clock says.
    environment = {"SOURCE_DATE_EPOCH": "1577836800", **os.environ}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"build: {' '.join(words)} failed:\n{done.stdout}{done.stderr}")


def build_packages(out: Path) -> None:
    """Build the source archive, and from it the wheel.

    From the archive, so that a file missing there cannot be in the wheel unnoticed.
    """
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT])


def build_extension(out: Path) -> None:
    """Build the zip that Blender installs."""
    source = ROOT / "blender_addon"
    with (source / "blender_manifest.toml").open("rb") as file:
        version = tomllib.load(file)["version"]
    target = out / f"kneestride-blender-{version}.zip"
    run([sys.executable, blender_tool(), "build", "--source-dir", source,
         "--output-filepath", target])  # fmt: skip


def checksums(folder: Path) -> str:
    """Return SHA-256 and name of every file, as `sha256sum --check` reads it."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(folder.iterdir())
    )


def build(out: Path) -> list[Path]:
    """Build everything into `out` and return the files."""
    blender_tool()  # before the minute's work, not after it
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".building-") as name:
        fresh = Path(name)
        build_packages(fresh)
        build_extension(fresh)
        (fresh / CHECKSUMS).write_text(checksums(fresh), encoding="utf-8")
        for ending in ("whl", "tar.gz", "zip"):
            for old in out.glob(f"kneestride-*.{ending}"):
                old.unlink()
        return [Path(shutil.move(file, out / file.name)) for file in sorted(fresh.iterdir())]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="bootstrap.py build", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder to fill")
    for file in build(parser.parse_args(arguments).out.resolve()):
        print(f"{file.stat().st_size / 1e6:6.1f} MB  {file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
