"""Write the published schemas of every `summary.json`: `docs/*.schema.json`.

    .venv/bin/python scripts/write_schemas.py

The models in `kneestride.results.schemas` are the source; run this after changing one.
"""

from __future__ import annotations

import json
from pathlib import Path

from kneestride.results.schemas import PUBLISHED, schema_of

DOCS = Path(__file__).resolve().parents[1] / "docs"


def text_of(name: str) -> str:
    """Return a published file's text."""
    return json.dumps(schema_of(name), indent=1) + "\n"


if __name__ == "__main__":
    for each in PUBLISHED:
        (DOCS / f"{each}.schema.json").write_text(text_of(each), encoding="utf-8")
        print(f"docs/{each}.schema.json")
