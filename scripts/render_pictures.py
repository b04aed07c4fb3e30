"""Render the pictures of the README and of docs/blender.md from the bundled example.

    .venv/bin/python scripts/render_pictures.py [NAME ...]

Needs the extra `blender`. Every picture ends up below 150 kB; the whole set takes a few
minutes.
"""

import io
import sys
import tempfile
from pathlib import Path

from kneestride.animate import Look, animate
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "blender_addon" / "example.npz"
OUT = ROOT / "docs" / "pictures"
LARGEST = 150_000
SIZE = (1120, 630)
THREE = ("neutral", "valgus", "crossover")
FRAMES = {"difference": 18}
"""Where not the peak load is shown: here where knee in and neutral differ most."""
PICTURES = {
    "three_knees": Look(camera="three_knees", look="clinic", runners=THREE),
    "runners": Look(camera="frontal", look="clinic", runners=THREE),
    "difference": Look(camera="three_knees", look="clinic", difference=True, runners=THREE),
}


def small(picture: Path) -> bytes:
    """Return a picture as JPEG of at most `LARGEST` bytes, colours at full resolution."""
    with Image.open(picture) as image:
        for quality in (93, 90, 85, 80):
            data = io.BytesIO()
            image.convert("RGB").save(
                data, "JPEG", quality=quality, subsampling=0, optimize=True
            )
            if len(data.getvalue()) <= LARGEST:
                return data.getvalue()
    raise SystemExit(f"{picture.name} stays above {LARGEST} bytes: render it smaller.")


def main(names: list[str]) -> None:
    """Render the named pictures, all when none is named."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or PICTURES:
            made = animate(
                EXAMPLE,
                Path(folder) / f"{name}.png",
                PICTURES[name],
                size=SIZE,
                frame=FRAMES.get(name),
            )
            target = OUT / f"{name}.jpg"
            target.write_bytes(small(made))
            print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
