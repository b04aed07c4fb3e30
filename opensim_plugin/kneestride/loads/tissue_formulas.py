"""Formulas of the tissue structures, each a plain function of arrays.

Sources of the figures stand in `models/tissues.toml`. Arrays have time first and the
side axis as `SIDES`; masked frames (NaN) stay NaN.
"""

from __future__ import annotations

import numpy as np

from ..vocabulary import GRAVITY, MEDIAL_SIGN, SIDES, Array
from .tissue_table import Table


def cartilage_stress(force: Array, area: float) -> Array:
    """Nominal mean contact stress, MPa, of `force` N over `area` mm²."""
    return np.asarray(force / area, dtype=float)


def tibiofemoral_areas(height: float, table: Table) -> tuple[float, float]:
    """Medial and lateral contact area, mm², scaled by stature squared.

    Fukubayashi & Kurosawa 1980 for the sum, Devaraj 2020 for the shares.
    """
    figures = table.parameters
    scale = (height / figures["tibiofemoral_area_height"][0]) ** 2
    total = float(figures["tibiofemoral_area"][0] * scale)
    share = float(figures["medial_area_share"][0])
    return total * share, total * (1.0 - share)


def patellofemoral_area(flexion: Array, height: float, sex: str, table: Table) -> Array:
    """Patellofemoral contact area, mm², at knee `flexion` rad (Besier 2005).

    Linear between 0, 30 and 60 degrees, constant outside; an unknown sex takes the
    mean of both.
    """
    figures = table.parameters
    degrees = np.degrees(flexion)
    chosen = [sex] if sex in ("m", "f") else ["m", "f"]
    areas = [
        np.interp(
            degrees, figures["patellofemoral_flexion"], figures[f"patellofemoral_area_{s}"]
        )
        * (height / figures[f"patellofemoral_height_{s}"][0]) ** 2
        for s in chosen
    ]
    mean = np.mean(areas, axis=0) * figures["patellofemoral_loading"][0]
    return np.where(np.isnan(degrees), np.nan, mean)


def patellofemoral_ratio(flexion: Array, table: Table) -> Array:
    """Patellofemoral over quadriceps force at knee `flexion` rad, held beyond 0 to 90°.

    van Eijden 1986; the coefficients are unverified, so results by it are grade C.
    """
    degrees = np.clip(np.degrees(flexion), 0.0, 90.0)
    top = np.polynomial.polynomial.polyval(
        degrees, table.parameters["patellofemoral_ratio_numerator"]
    )
    bottom = np.polynomial.polynomial.polyval(
        degrees, table.parameters["patellofemoral_ratio_denominator"]
    )
    return np.asarray(top / bottom, dtype=float)


def path_strain(length: Array, reference: float) -> Array:
    """Strain of a path, percent of its `reference` length."""
    return np.asarray((length / reference - 1.0) * 100.0, dtype=float)


def time_rate(values: Array, time: Array) -> Array:
    """Time derivative by central differences (one-sided at the ends)."""
    if time.size < 2:
        return np.full_like(values, np.nan)
    return np.asarray(np.gradient(values, time, axis=0), dtype=float)


def tibia_bending(
    force: Array, point: Array, knee: Array, ankle: Array, tibia_frame: Array
) -> Array:
    """Frontal bending of the distal tibia by the ground reaction, N·m.

    The section is a third of the way from ankle to knee. The moment of the ground
    reaction about it, along the tibia's anterior axis; positive when the reaction
    passes medially and compresses the medial border.

    Parameters
    ----------
    force, point, knee, ankle : (T, 2, 3) ground frame
    tibia_frame : (T, 2, 3, 3)

    Returns
    -------
    (T, 2) N·m
    """
    section = ankle + (knee - ankle) / 3.0
    moment = np.cross(point - section, force)
    about_anterior = np.einsum("tsi,tsi->ts", moment, tibia_frame[..., 0])
    # A force passing medially turns the foot about +X on the right leg and -X on the left.
    sign = np.array([-MEDIAL_SIGN[side] for side in SIDES])
    return np.asarray(about_anterior * sign, dtype=float)


def arch_truss(
    force: Array, point: Array, ankle: Array, foot_frame: Array, height: Array, mass: float
) -> Array:
    """Tension that would tie the arch as a truss, in body weights.

    The forefoot as a free body pivoting at the ankle: tension × arch height balances
    the ground reaction's dorsiflexing moment. An upper bound for the plantar fascia.

    Parameters
    ----------
    force, point, ankle : (T, 2, 3) ground frame
    foot_frame : (T, 2, 3, 3)
    height : (2,) m
    mass : float, kg

    Returns
    -------
    (T, 2) body weights, not below 0
    """
    moment = np.cross(point - ankle, force)
    dorsiflexing = np.einsum("tsi,tsi->ts", moment, foot_frame[..., 2])
    return np.asarray(np.maximum(dorsiflexing, 0.0) / (height * mass * GRAVITY), dtype=float)


def wrap_compression(tension: Array, turn: Array) -> Array:
    """Force with which a band of `tension` N presses where it turns by `turn` rad.

    Two equal tensions at an angle have the resultant 2 T sin(turn / 2); no turn, or a
    turn away from the bone, presses nothing.
    """
    return np.asarray(tension * 2.0 * np.sin(np.maximum(turn, 0.0) / 2.0), dtype=float)
