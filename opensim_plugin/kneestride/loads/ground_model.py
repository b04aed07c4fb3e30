"""The learned linear model of running ground reaction: its coefficients and its use.

A stance's features (`loads.ground_features`) times one matrix give the scores of a few
principal curves per channel: three force components in body weights, the centre of
pressure along and across the foot in foot lengths, and the vertical free moment in body
weights times foot lengths. The curves span the contact and `OUTSIDE` of it on both
sides, because training shifted the events at random: the force is placed by the
accelerations, and where it rises decides when the foot is down.

Coefficients are written by `scripts/train_ground_reaction.py` from the RBDS runners
(Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0) to
`models/ground_reaction_running.npz`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..errors import ModelError
from ..parsing import arrays_of, json_of
from ..paths_of_data import models_folder
from ..vocabulary import Array
from .ground_features import FEATURES, OUTSIDE

CURVE_PHASES = np.linspace(-OUTSIDE, 1.0 + OUTSIDE, 81)
CHANNELS = ("forward", "up", "right", "along", "outward", "torque")
FILE = "ground_reaction_running.npz"


@dataclass(frozen=True)
class GroundModel:
    """Coefficients of the prediction.

    Attributes
    ----------
    centre, scale : (F,) mean and standard deviation of the features
    weights : (F, K) from standardised features to scores
    curves : (K, C, N) principal curves, each in one channel
    mean : (C, N) mean curves
    speeds : (V,) m/s
    error : (V, C, N) standard deviation of what a left-out runner's stance is off
    lasting : (C,) share of that error's variance that stays over a run's strides
    effective : (TERMS, 3) coefficients of `ground_effective_mass`
    effective_error : (V, C, N), as `error`, of that method
    usual : float
        Root mean square standardised feature below which 99 % of the training stances lie.
    about : dict of str to str, provenance
    """

    centre: Array
    scale: Array
    weights: Array
    curves: Array
    mean: Array
    speeds: Array
    error: Array
    lasting: Array
    effective: Array
    effective_error: Array
    usual: float
    about: dict[str, str]

    def predict(self, features: Array) -> Array:
        """Curves (S, C, N) of stances with features (S, F)."""
        scores = ((features - self.centre) / self.scale) @ self.weights
        return np.asarray(self.mean + np.einsum("sk,kcn->scn", scores, self.curves))

    def strangeness(self, features: Array) -> Array:
        """How unlike the training stances (S, F) features are; 1 is the 99th percentile."""
        z = (features - self.centre) / self.scale
        return np.asarray(np.sqrt((z**2).mean(axis=1)) / self.usual)

    def error_at(self, speed: float, method: str = "learned") -> Array:
        """Standard deviation (C, N) of the error at a speed, m/s; held beyond the ends."""
        error = self.effective_error if method == "effective_mass" else self.error
        at = float(np.clip(speed, self.speeds[0], self.speeds[-1]))
        k = int(np.clip(np.searchsorted(self.speeds, at) - 1, 0, len(self.speeds) - 2))
        share = (at - self.speeds[k]) / (self.speeds[k + 1] - self.speeds[k])
        return np.asarray((1.0 - share) * error[k] + share * error[k + 1])


@dataclass(frozen=True)
class Ridge:
    """Ridge regression on standardised columns: y ≈ intercept + z @ weights."""

    centre: Array
    scale: Array
    weights: Array
    intercept: Array


class Moments:
    """Sums of products of a group of stances; groups add, so that leaving out is cheap."""

    def __init__(self, x: Array, y: Array) -> None:
        share = 1.0 / len(x)  # every group counts the same, however many stances it has
        self.xx, self.xy = share * x.T @ x, share * x.T @ y
        self.x, self.y = share * x.sum(axis=0), share * y.sum(axis=0)

    @staticmethod
    def fit(groups: list[Moments], penalties: list[float]) -> list[Ridge]:
        """Ridge regressions on the union of groups, one for each penalty."""
        n = len(groups)
        mx, my = np.sum([g.x for g in groups], 0) / n, np.sum([g.y for g in groups], 0) / n
        cov, cross = -np.outer(mx, mx), -np.outer(mx, my)
        for g in groups:
            cov += g.xx / n
            cross += g.xy / n
        scale = np.sqrt(np.maximum(np.diag(cov), 1e-16)) + 1e-9
        values, vectors = np.linalg.eigh(cov / np.outer(scale, scale))
        projected = vectors.T @ (cross / scale[:, None])
        return [
            Ridge(mx, scale, vectors @ (projected / (np.maximum(values, 0.0) + p)[:, None]), my)
            for p in penalties
        ]


def principal_curves(curves: Array, counts: tuple[int, ...]) -> tuple[Array, Array]:
    """Mean (C, N) and the first principal curves (K, C, N) of each channel.

    Parameters
    ----------
    curves : (S, C, N)
    counts : number of curves of each channel
    """
    mean = curves.mean(axis=0)
    out = []
    for c, count in enumerate(counts):
        deviation = curves[:, c] - mean[c]
        _, vectors = np.linalg.eigh(deviation.T @ deviation)
        for vector in vectors[:, ::-1][:, :count].T:
            curve = np.zeros(curves.shape[1:])
            curve[c] = vector * np.sign(vector[np.argmax(np.abs(vector))])
            out.append(curve)
    return mean, np.array(out)


@cache
def load_ground_model(path: Path | None = None) -> GroundModel:
    """Read the committed coefficients.

    Raises
    ------
    ModelError
        When the file is missing, damaged, or made for other features.
    """
    path = path or models_folder() / FILE
    try:
        table = arrays_of(path)
        about = json_of(table.pop("about").tobytes())
        model = GroundModel(
            **{k: v.astype(np.float64) for k, v in table.items() if k != "usual"},
            usual=float(table["usual"]),
            about=about,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the coefficients of the ground reaction in models/{FILE}",
            str(error),
            "write them again with scripts/train_ground_reaction.py",
        ) from error
    shape = (len(CHANNELS), len(CURVE_PHASES))
    if model.weights.shape[:1] != (FEATURES,) or model.mean.shape != shape:
        raise ModelError(
            f"coefficients for {FEATURES} features and curves of shape {shape}",
            f"{model.weights.shape[:1]} features and curves of shape {model.mean.shape}",
            "write them again with scripts/train_ground_reaction.py",
        )
    return model


def save_ground_model(model: GroundModel, path: Path) -> None:
    """Write coefficients in single precision, readable without pickle."""
    np.savez_compressed(
        path,
        centre=model.centre.astype(np.float32),
        scale=model.scale.astype(np.float32),
        weights=model.weights.astype(np.float32),
        curves=model.curves.astype(np.float32),
        mean=model.mean.astype(np.float32),
        speeds=model.speeds.astype(np.float32),
        error=model.error.astype(np.float32),
        lasting=model.lasting.astype(np.float32),
        effective=model.effective.astype(np.float32),
        effective_error=model.effective_error.astype(np.float32),
        usual=np.float64(model.usual),
        about=np.frombuffer(json.dumps(model.about).encode(), dtype=np.uint8),
    )
