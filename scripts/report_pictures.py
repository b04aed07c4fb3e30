#!/usr/bin/env python3
"""Pictures of every page of the report, as they stand in docs/report.md.

    pip install pypdfium2
    .venv/bin/python scripts/report_pictures.py RESULTS [OUT]

RESULTS is a results folder, OUT takes the pictures (default: docs/pictures). The library
that draws PDF pages is no dependency of the package and stands in no lock file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pypdfium2
from kneestride.report.command import report_of, write_report
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("patient", "clinician", "curves", "methods")
SCALE = 80 / 72
"""Pixels of a point: 80 to the inch, so that the small print can be read."""


def main(results: Path, out: Path) -> None:
    """Write the report's PDF and draw its pages."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.pdf"
        write_report(report_of([results]), [file])
        with pypdfium2.PdfDocument(file) as pages:
            for name, page in zip(PAGES, pages, strict=True):
                picture = page.render(scale=SCALE).to_pil().convert("RGB")
                # A palette makes small files.
                small = picture.quantize(
                    255, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
                )
                small.save(out / f"report_{name}.png", optimize=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit((__doc__ or "").strip())
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs/pictures")
