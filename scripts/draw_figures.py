"""Draw the schematic figures of the documentation into docs/figures/.

    .venv/bin/python scripts/draw_figures.py

A figure is a function of `scripts/figures/`; its file has the function's name.
"""

from pathlib import Path

from figures import above, curves, flow, front, side

OUT = Path(__file__).resolve().parents[1] / "docs" / "figures"


def drawings() -> dict[str, str]:
    """Every figure's file name and content."""
    several = (*front.FIGURES, *above.FIGURES, *side.FIGURES, *curves.FIGURES, *flow.FIGURES)
    return {f"{draw.__name__}.svg": draw().svg() for draw in several}


if __name__ == "__main__":
    for name, text in drawings().items():
        (OUT / name).write_text(text, encoding="utf-8")
