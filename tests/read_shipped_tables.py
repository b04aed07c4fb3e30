"""Reads every file that the package carries; run by test_wheel.py in a clean environment.

    python -I read_shipped_tables.py SOURCE_TREE

Prints, as JSON, where the package is, which carried files were opened by the readers that
the product uses, and which files of the source tree were touched.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path

opened: set[str] = set()
sys.addaudithook(
    lambda event, args: (
        opened.add(os.path.realpath(args[0]))
        if event == "open" and isinstance(args[0], str)
        else None
    )
)

source = Path(sys.argv[1]).resolve()

import kneestride  # noqa: E402
from kneestride import animate  # noqa: E402
from kneestride.app.texts import Texts  # noqa: E402
from kneestride.capture import landmarks, markersets, reference  # noqa: E402
from kneestride.loads import ground_model, retraining, tissue_table  # noqa: E402
from kneestride.model import tables  # noqa: E402
from kneestride.model.osim import load_model  # noqa: E402
from kneestride.motion import event_refinement, thresholds  # noqa: E402
from kneestride.paths_of_data import models_folder, shipped_table  # noqa: E402
from kneestride.report.reference import load_bands  # noqa: E402
from kneestride.report.words import Words  # noqa: E402
from kneestride.results import bones, compare  # noqa: E402

models = models_folder()
landmarks.landmark_table()
for name in markersets.available_marker_sets():
    markersets.load_marker_set(name)
reference.load_reference()
ground_model.load_ground_model()
retraining.read_retraining()
tissue_table.read_table()
tables.read_tables()
event_refinement.load_refinement()
thresholds.load_thresholds()
load_bands()
bones.load_bones()
compare._table()
Words("en"), Texts("de")
for file in ("geometry", "claims", "comparison", "sayings", "model_uncertainty"):
    shipped_table(f"{file}.toml")
muscles = load_model(models / "kneestride_runner.osim").getMuscles().getSize()
opened.add(str(models / "kneestride_runner.osim"))  # OpenSim's own reader opens it
addon = animate.addon_folder()
tomllib.loads((addon / "blender_manifest.toml").read_text(encoding="utf-8"))
json.loads((addon / "texts.json").read_text(encoding="utf-8"))

read = {Path(name) for name in opened}
ours = Path(kneestride.__file__).resolve().parent
library = source / ".venv"
told = {
    "package": str(ours),
    "models": str(models),
    "addon": str(addon),
    "muscles": muscles,
    "unread": sorted(
        str(p.relative_to(models)) for p in models.rglob("*") if p.is_file() and p not in read
    ),
    "touched": sorted(str(p) for p in read if source in p.parents and library not in p.parents),
}
print(json.dumps(told))
