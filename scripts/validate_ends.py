"""Two choices judged away from the implant: ends of recordings, passive muscle forces.

    python scripts/validate_ends.py [--write]

**Ends.** Recordings of one gait cycle begin and end at heel strike. Somebody else's walking
(opencap04) and running (RBDS001) are cut short at many frames; the acceleration of joint
angles in the last half period of the cut-off is compared with that of the whole recording,
with ends reflected and with ends continued by what went before.

**Passive forces.** What the built-in model's passive muscles do about hip, knee and ankle in
postures of gait, beside the passive joint moments measured on ten living legs (Riener &
Edrich 1999, J Biomech 32:539-544, their double exponentials).
"""

from __future__ import annotations

import argparse

import numpy as np
import validation_cases as cases
from doc_blocks import replace_block, table
from kneestride import stages
from kneestride.loads.muscles import capacity, rigid_tendon
from kneestride.model.knee import read_knee
from kneestride.model.multibody import Multibody
from kneestride.model.muscle_parameters import muscle_parameters
from kneestride.model.osim import load_model
from kneestride.model.paths import exact_paths
from kneestride.model.tables import RUNNER_MODEL
from kneestride.motion.filtering import lowpass, smooth_derivatives
from kneestride.vocabulary import SIDES, Array

PAGE = cases.ROOT / "docs" / "validation.md"
JOINTS = ("hip_flexion", "hip_adduction", "knee_angle", "ankle_angle")
EVERY = 3
"""Frames between two cuts."""

POSTURES = (
    ("early stance", 5, 5, 30), ("loading", 0, 20, 30), ("mid-stance", -5, 10, 10),
    ("late stance", -10, 5, 0), ("heel off", -10, 10, -15), ("toe-off", 10, 40, -10),
    ("early swing", 5, 60, 10), ("mid-swing", 0, 60, 20), ("swing", 0, 30, 30),
    ("late swing", 0, 5, 30), ("standing", 0, 0, 0), ("running, mid-stance", -15, 40, 20),
)  # fmt: skip
"""Name; plantarflexion, knee flexion and hip flexion in degrees."""


def cut_short(q: Array, rate: float, cutoff: float) -> tuple[float, float]:
    """Error (rms) of the acceleration near the end, reflected and continued."""
    time = np.arange(len(q)) / rate
    half, inside = round(0.5 * rate / cutoff), int(1.2 * rate / cutoff)
    whole = accelerations(time, q, cutoff)
    reflected, carried_on = [], []
    for stop in range(len(q) // 2, len(q) - inside, EVERY):
        truth = whole[stop - half : stop]
        part = time[:stop], q[:stop]
        reflected.append(accelerations(*part, cutoff)[-half:] - truth)
        carried_on.append(smooth_derivatives(*part, cutoff)[2][-half:] - truth)
    first, second = (float(np.sqrt(np.mean(np.square(e)))) for e in (reflected, carried_on))
    return first, second


def accelerations(time: Array, q: Array, cutoff: float) -> Array:
    """Second derivative with reflected ends."""
    rate = (len(time) - 1) / float(time[-1] - time[0])
    return smooth_derivatives(time, lowpass(q, rate, cutoff), None)[2]


def measured_moments(plantar: float, knee: float, hip: float) -> Array:
    """Passive moments of living legs, N·m: plantarflexing, flexing the knee and the hip."""
    return np.array(
        [
            np.exp(2.1016 - 0.0843 * plantar - 0.0176 * knee)
            - np.exp(-7.9763 + 0.1949 * plantar + 0.0008 * knee)
            - 1.792,
            np.exp(1.800 - 0.0460 * plantar - 0.0352 * knee + 0.0217 * hip)
            - np.exp(-3.971 - 0.0004 * plantar + 0.0495 * knee - 0.0128 * hip)
            - 4.820
            + np.exp(2.220 - 0.150 * knee),
            np.exp(1.4655 - 0.0034 * knee - 0.0750 * hip)
            - np.exp(1.3403 - 0.0226 * knee + 0.0305 * hip)
            + 8.072,
        ]
    )


def modelled_moments() -> Array:
    """The same of the built-in model's muscles, tendons rigid, (postures, 3) N·m."""
    model = load_model(RUNNER_MODEL)
    body, parameters = Multibody.from_osim(model), muscle_parameters(model)
    q = np.tile(body.default, (len(POSTURES), 1))
    for k, (_, plantar, knee, hip) in enumerate(POSTURES):
        for side in SIDES:
            q[k, body.coordinate(f"ankle_angle_{side}")] = -np.radians(plantar)
            q[k, body.coordinate(f"knee_angle_{side}")] = np.radians(knee)
            q[k, body.coordinate(f"hip_flexion_{side}")] = np.radians(hip)
    knees = read_knee(model)
    centers = np.array([knees[s].joint_center for s in SIDES])
    paths = exact_paths(stages.model_text(model), body.coordinates, q, centers)
    state = rigid_tendon(parameters, paths.length, np.zeros_like(paths.length))
    pull = capacity(parameters, state, passive=True).passive
    found = [
        sign * np.sum(pull * paths.column(f"{joint}_r"), axis=1)
        for joint, sign in (("ankle_angle", -1.0), ("knee_angle", 1.0), ("hip_flexion", 1.0))
    ]
    return np.stack(found, axis=1)


def report() -> str:
    """Both tables."""
    rows = []
    walking = cases.Capture(
        "opencap04, walking", cases.DATA / "opencap04" / "walking1.trc", 62.6, 1.72, "",
        cases.DATA / "opencap04" / "static1.trc",
        cases.DATA / "opencap04" / "walking1_grf.mot",
    )  # fmt: skip
    for capture in (walking, cases.rbds()):
        case = cases.prepare(capture)
        at = [case.fitted.body.coordinate(f"{j}_{s}") for j in JOINTS for s in SIDES]
        motion = case.raw
        # As many frames as one gait cycle or two have.
        q = np.unwrap(motion.q[: round(1.4 * motion.rate), at], axis=0)
        before, after = cut_short(q, motion.rate, case.cutoff)
        rows.append([capture.name, f"{case.cutoff:g} Hz", f"{before:.1f}", f"{after:.1f}"])
    ours = modelled_moments()
    theirs = np.array([measured_moments(*posture[1:]) for posture in POSTURES])
    lines = []
    for (name, plantar, knee, hip), a, b in zip(POSTURES, ours, theirs, strict=True):
        cells = [f"{x:+.1f} / {y:+.1f}" for x, y in zip(a, b, strict=True)]
        lines.append([f"{name} ({plantar}°, {knee}°, {hip}°)", *cells])
    without = np.sqrt(np.mean(theirs**2, axis=0))
    off = np.sqrt(np.mean((ours - theirs) ** 2, axis=0))
    lines.append(["**rms off, with passive forces**", *(f"**{v:.1f}**" for v in off)])
    lines.append(["rms off, without", *(f"{v:.1f}" for v in without)])
    return "\n\n".join(
        [
            "Error of joint accelerations in the last half period, rad/s² (rms over hips, "
            "knees and ankles, and over every place the recording was cut):",
            table(["recording", "low-pass", "reflected", "continued"], rows),
            "Passive moments, model / measured, N·m (plantarflexing, knee flexing, hip "
            "flexing); postures as plantarflexion, knee flexion, hip flexion:",
            table(["posture", "ankle", "knee", "hip"], lines),
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"put them into docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    text = report()
    print(text)
    if options.write:
        replace_block(PAGE, "ends", text)


if __name__ == "__main__":
    main()
