"""What a simulated stride's folder says of itself: figures for summary.json, and warnings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .solve import Reduced, Simulated

FORCE_LIMIT, MOMENT_LIMIT = 10.0, 4.0
"""N and N·m; a variant whose pelvis residuals change by more is out of balance."""
SLIDE_LIMIT, SINK_LIMIT = 0.001, 0.003
"""m, of a standing foot."""


def about_original(reduced: Reduced) -> dict[str, object]:
    """What `summary.json` says of the residual-reduced stride."""
    s = reduced.problem.stride
    return {
        "variant": "original",
        "stride_start_s": s.start,
        "stride_period_s": s.period,
        "stride_side": s.side,
        "drift_m_s": [float(v) for v in s.drift],
        "closing_moved": _readable(s.closing),
        "reduction_moved": _readable(reduced.moved),
        "residual_before": vars(reduced.before).copy(),
        "residual_after": vars(reduced.after).copy(),
        "rule_kept": reduced.after.kept,
        "iterations": reduced.iterations,
    }


def about_variant(made: Simulated) -> dict[str, object]:
    """What `summary.json` says of a variant: asked, got, and what was absorbed."""
    return {
        "variant": made.variant.name,
        "dose": made.variant.dose,
        "sides": list(made.variant.sides),
        "hold_knee_flexion": made.variant.hold_knee_flexion,
        "residual_force_change_N": made.force_change,
        "residual_moment_change_Nm": made.moment_change,
        "moment_change_without_corrections_Nm": made.uncorrected,
        "pressure_correction_mm": 1e3 * made.pressure_correction,
        "free_moment_correction_Nm": made.free_moment,
        "foot_slide_mm": 1e3 * made.slide,
        "foot_sink_mm": 1e3 * made.sink,
        "leg_clearance_mm": 1e3 * made.clearance,
        "leg_clearance_before_mm": 1e3 * made.base_clearance,
        "over_joint_limit_deg": float(np.degrees(made.over_limit)),
        "projection_angle_change_deg": {
            s: float(np.degrees(v)) for s, v in made.projection.items()
        },
        "step_width_change_mm": 1e3 * made.width,
        "iterations": made.iterations,
        "fit_seconds": made.seconds,
    }


def _readable(moved: Mapping[str, float]) -> dict[str, float]:
    """Largest changes in mm and degrees, only those worth reading."""
    out = {}
    for name, value in moved.items():
        slide = name in ("pelvis_tx", "pelvis_ty", "pelvis_tz")
        figure = 1e3 * value if slide else float(np.degrees(value))
        if figure >= 0.05:
            out[f"{name}_{'mm' if slide else 'deg'}"] = round(figure, 2)
    return out


def reduction_warnings(reduced: Reduced) -> tuple[str, ...]:
    """What the user has to know of the residual-reduced stride."""
    a = reduced.after
    sentence = (
        f"One captured stride, made to repeat and brought into balance: pelvis residuals "
        f"{100 * a.force_share:.1f} % of the peak ground force (rule: 5 %) and "
        f"{100 * a.moment_share:.2f} % of it times the mass centre's height (rule: 1 %)"
    )
    return (sentence + (". " if a.kept else "; the rule is missed. ")
            + "summary.json lists what was moved.",)  # fmt: skip


def variant_warnings(made: Simulated) -> tuple[str, ...]:
    """What the user has to know of a simulated stride; the first is always there."""
    out = [
        f"Simulated, not captured: {made.variant.label}. Corrections of the ground reaction: "
        f"centre of pressure {1e3 * made.pressure_correction:.1f} mm, free moment "
        f"{made.free_moment:.1f} N m; pelvis residuals change by {made.force_change:.1f} N and "
        f"{made.moment_change:.1f} N m. No reflexes and no new cadence."
    ]
    if made.force_change > FORCE_LIMIT or made.moment_change > MOMENT_LIMIT:
        out.append(
            f"The balance is missed (limits {FORCE_LIMIT:g} N and {MOMENT_LIMIT:g} N m): a "
            "smaller dose will keep it."
        )
    if made.slide > SLIDE_LIMIT or made.sink > SINK_LIMIT:
        out.append(
            f"The standing foot slides {1e3 * made.slide:.1f} mm and sinks "
            f"{1e3 * made.sink:.1f} mm (limits 1 and 3 mm)."
        )
    return tuple(out)
