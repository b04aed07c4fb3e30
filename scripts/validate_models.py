"""What the choice of gait model does to the knee: four public models, the same captures.

    python scripts/validate_models.py [--write]

Each capture is analysed with the project's own model and with the public ones beside it,
every one fitted to the same person by the same code and given the same knee. The spread of
their loads is the part of an absolute value that hangs on whose model was taken.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import validation_cases as cases
from doc_blocks import replace_block, table
from kneestride.errors import KneestrideError
from kneestride.vocabulary import SIDES

PAGE = cases.ROOT / "docs" / "validation.md"
PUBLIC = (
    ("Rajagopal 2016", "Rajagopal2016.osim"),
    ("Rajagopal-Lai-Uhlrich 2023", "RajagopalLaiUhlrich2023.osim"),
    ("Hamner 2010", "FullBodyModel_Hamner2010_v2_0.osim"),
    ("Gait2392", "gait2392_millard2012muscle.osim"),
)
SHOWN = tuple(f"{c} {what}" for what in ("peak", "impulse") for c in cases.COMPARTMENTS)


def measure(capture: cases.Capture, sides: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Figures by model."""
    out = {}
    for name, file in (("kneestride", ""), *PUBLIC):
        case = cases.prepare(capture, model=cases.MODELS / file if file else None)
        out[name] = cases.figures(case, case.loads().knee, sides)
        print(capture.name, name, flush=True)
    return out


def spread(found: dict[str, dict[str, float]], figure: str) -> tuple[float, float]:
    """Standard deviation over the public models, and over those of Rajagopal's family."""
    values = [found[name][figure] for name, _ in PUBLIC]
    family = [found[name][figure] for name in ("kneestride", PUBLIC[0][0], PUBLIC[1][0])]
    return float(np.std(values, ddof=1)), float(np.std(family, ddof=1))


def report(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """Tables of the page."""
    rows, shares = [], []
    for capture, models in found.items():
        for name, figures in models.items():
            rows.append([f"{capture}: {name}", *(f"{figures[f]:.2f}" for f in SHOWN)])
        both = [spread(models, f) for f in SHOWN]
        rows.append([f"**{capture}: SD of the four**", *(f"**{a:.2f}**" for a, _ in both)])
        rows.append(
            [f"{capture}: SD within Rajagopal's family", *(f"{b:.2f}" for _, b in both)]
        )
        share = {
            f: spread(models, f)[0] / float(np.mean([m[f] for m in models.values()]))
            for f in SHOWN
        }
        shares.append([capture, *(f"{100 * share[f]:.0f} %" for f in SHOWN)])
    return "\n\n".join(
        [
            table(["capture: model", *SHOWN], rows),
            "SD of the four public models as a share of the mean:",
            table(["capture", *SHOWN], shares),
            "Peaks in body weights, impulses in body-weight seconds, medians over whole "
            "contacts, means of both knees (gc5: the instrumented one).",
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the models and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"put them into docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    found = {}
    for capture, sides in (
        (cases.gc5(), (SIDES.index("l"),)),
        (cases.rbds(), (0, 1)),
        (cases.bmc_run(), (0, 1)),
    ):
        found[capture.name] = measure(capture, sides)
    text = report(found)
    print(text)
    if options.write:
        replace_block(PAGE, "models", text)


if __name__ == "__main__":
    try:
        main()
    except KneestrideError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
