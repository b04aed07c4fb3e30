"""What `pyproject.toml` cannot say: the wheel carries what is no module of the package.

`models/`, `blender_addon/` and the script for the OpenSim GUI stay where they are in the
source tree, where people look for them and scripts write them; the package finds them in
either place (`kneestride.paths_of_data`). An installation in place
(`pip install --editable`) reads them where they are, so nothing is copied for it.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CARRIED = {
    "models": "_models",
    "blender_addon": "_blender_addon",
    "opensim_plugin/opensim_gui": "_opensim_gui",
}
"""Folder of the source tree and its name inside the installed package."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class BuildWithTables(build_py):
    """Copy the carried folders into the package that is being built."""

    def run(self) -> None:
        """Build the modules, then add the folders."""
        super().run()
        if self.editable_mode:
            return
        for source, name in CARRIED.items():
            target = Path(self.build_lib) / "kneestride" / name
            shutil.rmtree(target, ignore_errors=True)  # nothing of an older build
            shutil.copytree(ROOT / source, target, ignore=LEFT_OUT)


setup(cmdclass={"build_py": BuildWithTables})
