"""The results folder of one camera: a summary, a stride table and a page, no model."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..vocabulary import SIDES
from .folder import strides_text
from .replace import MARK, replace_folder
from .schemas import stamped
from .summary import software_versions, spread

if TYPE_CHECKING:
    from ..one_camera import PictureResults

KIND = "one camera"
_TEXT = ("kind", "side", "view", "forces", "start_s", "end_s", "mid_s")

_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ trial }}: one camera</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .8rem .25rem 0; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.note { color: #555; }
</style></head><body>
<h1>{{ trial }}</h1>
<p>{{ subject.height_m }} m. {{ frames }} frames, {{ view }} view, {{ task }}.
Key points: {{ keypoints.set }}.</p>
<h2>Read this first</h2>
<ul>{% for warning in warnings %}<li>{{ warning }}</li>{% endfor %}</ul>
{% if standing_test %}<h2>Standing test</h2>
<table><tr><th></th><th>Right</th><th>Left</th></tr>
<tr><td>Hip-knee-ankle angle, valgus positive (°)</td>
{% for s in "rl" %}<td>{{ "%.1f"|format(standing_test.hip_knee_ankle[s]) }}
({{ standing_test.classes[s] }})</td>{% endfor %}</tr></table>
<p>Knee centres {{ "%.0f"|format(standing_test.knees_mm) }} mm apart, ankle centres
{{ "%.0f"|format(standing_test.ankles_mm) }} mm apart: {{ standing_test.verdict }}.</p>
<p class="note">The test means something with the feet as close as they go.</p>{% endif %}
{% if rows %}<h2>Figures per side</h2>
<table><tr><th>Figure</th><th>Right: median</th><th>10th to 90th percentile</th>
<th>Left: median</th><th>10th to 90th percentile</th></tr>
{% for row in rows %}<tr><td>{{ row.name }}</td>{% for cell in row.cells %}
<td>{{ cell.median }}</td><td>{{ cell.interval }}</td>{% endfor %}</tr>{% endfor %}</table>
{% endif %}
<p class="note">Not a medical device: estimates from a picture, for study and discussion.</p>
</body></html>
"""


def write_picture(target: Path, results: PictureResults, overwrite: bool = False) -> Path:
    """Write the folder in one step; see `results.folder.write_results`."""
    summary = picture_summary(results)
    files = {
        "strides.csv": strides_text(results.rows),
        MARK: json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "report.html": _page(summary),
        "log.txt": "\n".join(
            [f"kneestride analysis of {results.trial}, one camera", *results.log,
             *(f"warning: {w}" for w in results.warnings)]
        ) + "\n",
    }  # fmt: skip

    def fill(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")

    return replace_folder(target, fill, overwrite)


def picture_summary(results: PictureResults) -> dict[str, Any]:
    """`summary.json` of one camera: named as in the schema as far as there is a like."""
    frame = results.picture
    sides: dict[str, Any] = {}
    for side in SIDES:
        rows = [r for r in results.rows if r["side"] == side]
        whole = [r for r in rows if r["kind"] != "partial"] or rows
        figures = {}
        for name in dict.fromkeys(k for r in whole for k in r if k not in _TEXT):
            found = spread([float(r[name]) for r in whole if name in r])
            if found is not None:
                figures[name] = found.model_dump()
        sides[side] = {
            "units": dict(Counter(str(r["kind"]) for r in rows)),
            "from_kind": str(whole[0]["kind"]) if whole else None,
            "masked_share": None,
            "figures": figures,
            "classes": {},
        }
    summary = {
        "kind": KIND,
        "trial": results.trial,
        "simulated": False,
        "subject": {
            "mass_kg": results.subject.mass,
            "height_m": results.subject.height,
            "sex": results.subject.sex,
        },
        "recording": {
            "frames": len(frame.time),
            "rate_hz": frame.rate,
            "start_s": float(frame.time[0]),
            "end_s": float(frame.time[-1]),
        },
        "inputs": dict(results.sources),
        "software": software_versions(),
        "timing": {"picture": results.seconds, "frames": len(frame.time)},
        "frames": len(frame.time),
        "forces": "none",
        "view": frame.view,
        "task": results.task,
        "keypoints": {"set": results.kind, "px_per_metre": frame.metre},
        "files": ["strides.csv", "report.html", "log.txt"],
        "warnings": list(results.warnings),
        "checks": [],
        "sides": sides,
        "standing_test": results.standing_summary(),
    }
    return stamped("one_camera", summary)


def _page(summary: dict[str, Any]) -> str:
    from jinja2 import Environment

    names = dict.fromkeys(n for s in SIDES for n in summary["sides"][s]["figures"])
    rows = []
    for name in names:
        cells = []
        for side in SIDES:
            figure = summary["sides"][side]["figures"].get(name)
            cells.append(
                {"median": "", "interval": ""}
                if figure is None
                else {
                    "median": f"{figure['median']:.3g}",
                    "interval": f"{figure['low']:.3g} to {figure['high']:.3g}",
                }
            )
        rows.append({"name": name, "cells": cells})
    page = Environment(autoescape=True).from_string(_TEMPLATE)
    return page.render({**summary, "rows": rows})
