"""How late the implant's record is against the laboratory's: estimate, interval, scores.

    python scripts/validate_lag.py [--write]
    python scripts/validate_lag.py --trial A.trc --trial B.trc --static static.trc

Force plates and implant kept two clocks. Where they disagree shows in the ground force
against the *total* tibial force: both rise at heel strike and fall at push-off. Three
estimates, none of which ever sees how the total is split between the compartments:

    whole cycle   the shift at which the slopes of both curves agree best (cross-correlation)
    loading edge, unloading edge   the shift at which the total fits a stretched and raised
                  copy of the ground force within 60 ms of half its peak

Their 95 % intervals come from a moving-block bootstrap: what the fit leaves over is cut
into pieces of 100 ms, shuffled, added back, and the shift estimated again; of several
trials, trials are drawn as well. The constant of a recording day is the mean of both edges
over its trials. Scores as recorded come first and are the ones that count.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import kneestride
import numpy as np
from doc_blocks import replace_block, table
from kneestride.vocabulary import Array
from validate_in_vivo import (
    COMPARTMENTS,
    PAGE,
    SEARCH,
    Walk,
    add_trials,
    edge_shift,
    score,
    walks_of,
)

STEP = 0.001
"""s, of the search."""
BLOCK = 0.1
"""s, pieces of the bootstrap: about as long as muscles stay the same."""
DRAWS = 200


def on_one_clock(trial: Walk) -> tuple[Array, Array, Array]:
    """Times (S,) s, ground force (S,) N and implant's total (S,) N, evenly, 1 ms apart."""
    at = np.arange(0.0, trial.length, STEP)
    ground = np.interp(at, trial.time, trial.ground)
    return at, ground, np.interp(at, trial.implant_time, trial.implant[:, 2])


def whole_cycle(ground: Array, total: Array) -> float:
    """Shift at which the slopes of ground force and total force agree best, s."""
    rise, answer = np.gradient(ground, STEP), np.gradient(total, STEP)
    reach = round(SEARCH / STEP)
    inner = slice(reach, len(ground) - reach)
    shifts = np.arange(-reach, reach + 1)
    found = [
        np.corrcoef(rise[inner], answer[reach + k : len(answer) - reach + k])[0, 1]
        for k in shifts
    ]
    return float(shifts[int(np.argmax(found))] * STEP)


def edge(which: int) -> Callable[[Array, Array], float]:
    """Estimate of one edge, 0 loading, 1 unloading."""

    def estimate(ground: Array, total: Array) -> float:
        above = np.flatnonzero(ground > 0.5 * ground.max())
        return edge_shift(ground, total, int(above[0] if which == 0 else above[-1]), STEP)

    return estimate


ESTIMATES: dict[str, Callable[[Array, Array], float]] = {
    "whole cycle": whole_cycle,
    "loading edge": edge(0),
    "unloading edge": edge(1),
    "mean of both edges": lambda g, t: 0.5 * (edge(0)(g, t) + edge(1)(g, t)),
}


def resampled(ground: Array, total: Array, lag: float, rng: np.random.Generator) -> Array:
    """The implant's total as it might have been: fitted at `lag`, other rest."""
    k = round(lag / STEP)
    moved = np.interp(np.arange(len(total)) - k, np.arange(len(total)), ground)
    design = np.column_stack([moved, np.ones(len(moved))])
    weights, *_ = np.linalg.lstsq(design, total, rcond=None)
    fitted = design @ weights
    rest = total - fitted
    size = round(BLOCK / STEP)
    pieces: list[Array] = []
    while size * len(pieces) < len(total):
        first = int(rng.integers(0, len(total) - size))
        pieces.append(rest[first : first + size])
    # Pieces join without a step, which an edge would be mistaken for.
    drawn = np.concatenate(pieces)[: len(total)]
    width = size // 4
    return np.asarray(fitted + np.convolve(drawn, np.ones(width) / width, mode="same"))


def estimates(walks: Sequence[Walk], seed: int = 0) -> dict[str, tuple[float, float, float]]:
    """Value and 95 % interval of each estimate over trials, s."""
    rng = np.random.default_rng(seed)
    curves = [(ground, total) for _, ground, total in map(on_one_clock, walks)]
    out = {}
    for name, estimate in ESTIMATES.items():
        own = [estimate(ground, total) for ground, total in curves]
        drawn = []
        for _ in range(DRAWS):
            picked = rng.integers(0, len(curves), size=len(curves))
            again = []
            for i in picked:
                ground, total = curves[i]
                again.append(estimate(ground, resampled(ground, total, own[i], rng)))
            drawn.append(float(np.mean(again)))
        low, high = np.quantile(drawn, [0.025, 0.975])
        out[name] = (float(np.mean(own)), float(low), float(high))
    return out


def report(walks: Sequence[Walk]) -> str:
    """The whole study as Markdown."""
    found = estimates(walks)
    names = ", ".join(w.name for w in walks)
    rows = [
        [name, f"{1000 * v:+.0f} ms", f"{1000 * a:+.0f} to {1000 * b:+.0f} ms"]
        for name, (v, a, b) in found.items()
    ]
    constant = found["mean of both edges"][0]
    head = ["", "lag", "RMSE, N", "R²", "mean error, N"]
    scores = []
    for title, lag in (("as recorded", 0.0), ("one constant", constant)):
        for row in score(walks, lag):
            scores.append([f"{title}, {row[0]}", f"{1000 * lag:+.0f} ms", *row[1:4]])
    scan = []
    for lag in (0.0, 0.010, 0.020, 0.030, 0.040, 0.050):
        scan.append([f"{1000 * lag:.0f} ms", *(row[1] for row in score(walks, lag))])
    return "\n\n".join(
        [
            f"Trials: {names}. Positive: the implant is late.",
            table(["estimate", "lag", "95 % interval"], rows),
            table(head, scores),
            "RMSE in N by any constant, as information (choosing the best of these would be "
            "fitting):",
            table(["lag", *COMPARTMENTS], scan),
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the trials and print the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_trials(parser)
    parser.add_argument(
        "--write", action="store_true", help=f"put the study into docs/{PAGE.name}"
    )
    options = parser.parse_args(arguments)
    text = report(walks_of(options))
    print(text)
    if options.write:
        replace_block(PAGE, "lag", text)


if __name__ == "__main__":
    try:
        main()
    except kneestride.KneestrideError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
