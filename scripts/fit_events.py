"""Fit the correction of force-free running events and write `models/events.toml`.

Reads the RBDS runs (Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0) from a
folder, takes initial contact and toe-off from the instrumented belt as the truth, and
fits the two-pass ridge of `kneestride.motion.event_refinement`. Prints the error with
every runner left out in turn (all speeds of a runner together), then fits on all of
them and writes the table with that error beside it.

    python scripts/fit_events.py ../shared/data/rbds [--check]

`--check` prints without writing. Every contact is used four times, so that the
coefficients lean neither on where exactly a marker sat nor on one way of getting the
foot's path: from the shoe markers (heel_bottom = Heel.Bottom, metatarsal heads = MT1 and
MT5), from the fitted model's inverse kinematics as `kneestride analyse` makes it, and
from either with the foot points displaced at random in the foot by 5 mm (1 SD per axis).
The model's part takes about ten minutes; it ends up in `--cache FILE` when given.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import ezc3d
import numpy as np
from kneestride import stages
from kneestride.model.fitting import fit_subject
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.event_refinement import SIGNALS, Pass, corrected, event_signals
from kneestride.motion.events import (
    KinematicSettings,
    events_from_force,
    events_from_kinematics,
    rule_contacts,
)
from kneestride.motion.foot_signals import foot_signals, forefoot, surface_velocity
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.settings import Settings, check_subject
from kneestride.vocabulary import GRAVITY, SIDES, Array, Side

FOOT = ("Heel.Bottom", "Heel.Lateral", "Heel.Top", "MT1", "MT5")
OFFSETS = np.arange(-7, 8) / 75.0
POINTS = ("heel_bottom", "metatarsal_1", "metatarsal_5", "hip_center")
RIDGE = 1e-4
DISPLACEMENT = 0.005
KINDS = ("markers", "model")
OUT = Path(__file__).resolve().parents[1] / "models" / "events.toml"


@dataclass(frozen=True)
class Run:
    """One RBDS trial: name, runner, foot paths, and the contacts the belt measured.

    `paths` come from the shoe markers, `model_paths` from the fitted model.
    """

    name: str
    runner: str
    paths: AnatomicalPaths
    force: Contacts
    model_paths: AnatomicalPaths | None = None


def _markers(c3d: ezc3d.c3d) -> dict[str, Array]:
    labels = c3d["parameters"]["POINT"]["LABELS"]["value"]
    positions = np.moveaxis(c3d["data"]["points"][:3], 2, 0) / 1000.0
    positions = np.swapaxes(positions, 1, 2)
    positions[(positions == 0.0).all(axis=2)] = np.nan
    return {name: positions[:, k] for k, name in enumerate(labels)}


def _rigid(template: Array, seen: Array) -> tuple[Array, Array]:
    """Rotation and translation that take `template` (N, 3) to `seen` (Kabsch 1976)."""
    a, b = template.mean(axis=0), seen.mean(axis=0)
    u, _, vt = np.linalg.svd((template - a).T @ (seen - b))
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = vt.T @ sign @ u.T
    return rotation, b - rotation @ a


def _foot(run: dict[str, Array], static: dict[str, Array], letter: str) -> dict[str, Array]:
    """Foot markers without gaps: missing ones are carried by the rigid static foot."""
    frames = len(next(iter(run.values())))
    nothing = np.full((frames, 3), np.nan)
    m = {k: run.get(f"{letter}.{k}", nothing) for k in FOOT}
    outward = 1.0 if letter == "R" else -1.0
    across = (m["MT5"] - m["MT1"])[:, 2] * outward
    if np.isfinite(across).any() and np.nanmedian(across) < 0.0:  # labels swapped
        m["MT1"], m["MT5"] = m["MT5"], m["MT1"]
    points = np.stack([m[k] for k in FOOT], axis=1)
    template = np.stack([np.nanmean(static[f"{letter}.{k}"], axis=0) for k in FOOT])
    missing = np.isnan(points[..., 0])
    for t in np.flatnonzero(missing.any(axis=1)):
        rotation, shift = _rigid(template[~missing[t]], points[t, ~missing[t]])
        points[t, missing[t]] = template[missing[t]] @ rotation.T + shift
    return {k: points[:, i] for i, k in enumerate(FOOT)}


def _without_gaps(x: Array) -> Array:
    good = np.isfinite(x[:, 0])
    k = np.arange(len(x))
    return np.column_stack([np.interp(k, k[good], x[good, j]) for j in range(3)])


def read_run(file: Path, mass: float) -> Run:
    """One RBDS running trial with the contacts of its belt, told apart by the feet."""
    runner = file.stem[: file.stem.index("run")]
    c3d = ezc3d.c3d(str(file))
    run = _markers(c3d)
    static = _static(file.with_name(f"{runner}static.c3d"))
    rate = float(c3d["parameters"]["POINT"]["RATE"]["value"][0])
    time = np.arange(len(run["R.MT5"])) / rate
    points: dict[str, Array] = {}
    for side, letter in zip(SIDES, "RL", strict=True):
        foot = _foot(run, static, letter)
        points[f"heel_bottom_{side}"] = foot["Heel.Bottom"]
        points[f"metatarsal_1_{side}"] = foot["MT1"]
        points[f"metatarsal_5_{side}"] = foot["MT5"]
    corners = [run[k] for k in ("R.ASIS", "L.ASIS", "R.PSIS", "L.PSIS") if k in run]
    pelvis = _without_gaps(np.mean(corners, axis=0))
    points["hip_center_r"] = points["hip_center_l"] = pelvis
    paths = AnatomicalPaths(time, rate, points, {}, {}, np.array([1.0, 0.0, 0.0]), np.zeros(3))
    plate = c3d["parameters"]["FORCE_PLATFORM"]
    matrix = np.asarray(plate["CAL_MATRIX"]["value"])[:, :, 0]
    vertical = -(matrix @ c3d["data"]["analogs"][0][:6])[2]
    clock = np.arange(len(vertical)) / float(c3d["parameters"]["ANALOG"]["RATE"]["value"][0])
    force = np.column_stack([vertical, np.zeros_like(vertical)])
    both = events_from_force(clock, force, mass * GRAVITY).r
    lists: dict[Side, list[Contact]] = {"r": [], "l": []}
    for c in both:
        k = int(np.searchsorted(time, 0.5 * (c.initial_contact_s + c.toe_off_s)))
        k = min(k, len(time) - 1)
        low = {s: forefoot(points, s)[k, 1] for s in SIDES}
        lists["r" if low["r"] < low["l"] else "l"].append(c)
    return Run(file.stem, runner, paths, Contacts(tuple(lists["r"]), tuple(lists["l"])))


@cache
def _static(file: Path) -> dict[str, Array]:
    """Markers of a static trial, which three trials ask for."""
    return _markers(ezc3d.c3d(str(file)))


def read_all(folder: Path) -> list[Run]:
    """All running trials of the folder, in order of name."""
    people = participants(folder)
    files = sorted(folder.glob("RBDS*run*.c3d"))
    return [read_run(f, people[_number(f.stem[: f.stem.index("run")])][0]) for f in files]


def with_model(run: Run, folder: Path, mass: float, height: float) -> Run:
    """The run with the foot paths of the fitted model, smoothed as running is."""
    settings, subject = Settings(), check_subject(mass, height, "")
    prepared = stages.prepare(
        folder / f"{run.name}.c3d",
        folder / f"{run.runner}static.c3d",
        "none",
        None,
        settings,
        subject,
    )
    fitted = fit_subject(
        stages.generic_model(None, settings),
        subject,
        prepared.trial.markers,
        prepared.names,
        prepared.static,
        prepared.static_names,
    )
    raw = stages.follow_markers(fitted, prepared)[0]
    paths = stages.smooth(fitted, prepared, raw, stages.FAST_CUTOFF).paths
    kept = {f"{n}_{s}": paths.points[f"{n}_{s}"] for n in POINTS for s in SIDES}
    slim = AnatomicalPaths(
        paths.time, paths.rate, kept, {}, {}, paths.progression, paths.belt_velocity
    )
    return replace(run, model_paths=slim)


def all_with_model(runs: list[Run], folder: Path, cache: Path | None) -> list[Run]:
    """`with_model` for every run, read from `cache` when that is there."""
    if cache is not None and cache.is_file():
        with np.load(cache) as stored:
            return [replace(run, model_paths=_unpacked(run, stored)) for run in runs]
    people = participants(folder)
    done = []
    for run in runs:
        mass, height = people[_number(run.runner)]
        done.append(with_model(run, folder, mass, height))
        print(f"{run.name}: model fitted", flush=True)
    if cache is not None:
        arrays = {}
        for run in done:
            if run.model_paths is not None:
                arrays[f"{run.name}/progression"] = run.model_paths.progression
                for name, p in run.model_paths.points.items():
                    arrays[f"{run.name}/{name}"] = p
        np.savez_compressed(cache, **arrays)
    return done


def _unpacked(run: Run, stored: np.lib.npyio.NpzFile) -> AnatomicalPaths:
    names = [n for n in stored.files if n.startswith(f"{run.name}/")]
    points = {n.split("/")[1]: stored[n] for n in names}
    progression = points.pop("progression")
    return replace(run.paths, points=points, progression=progression)


def participants(folder: Path) -> dict[int, tuple[float, float]]:
    """Mass (kg) and height (m) by runner's number."""
    lines = (folder / "participants.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(",") for line in lines if line.strip()]
    return {_number(r[0]): (float(r[2]), 0.01 * float(r[1])) for r in rows}


def _number(subject: str) -> int:
    return int(subject.removeprefix("RBDS"))


def _displaced(paths: AnatomicalPaths, rng: np.random.Generator) -> AnatomicalPaths:
    """The same foot with its points moved in the foot's own frame."""
    points = dict(paths.points)
    for side in SIDES:
        heel = points[f"heel_bottom_{side}"]
        x = forefoot(points, side) - heel
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        z = points[f"metatarsal_5_{side}"] - points[f"metatarsal_1_{side}"]
        y = np.cross(z, x)
        y /= np.linalg.norm(y, axis=1, keepdims=True)
        frame = np.stack([x, y, np.cross(x, y)], axis=2)
        toes = rng.normal(0.0, DISPLACEMENT, 3)  # both heads together: one forefoot
        points[f"heel_bottom_{side}"] = heel + frame @ rng.normal(0.0, DISPLACEMENT, 3)
        for k in (1, 5):
            points[f"metatarsal_{k}_{side}"] = points[f"metatarsal_{k}_{side}"] + frame @ toes
    return AnatomicalPaths(
        paths.time, paths.rate, points, {}, {}, paths.progression, paths.belt_velocity
    )


@dataclass
class Sample:
    """A contact as the rules place it, with the belt's times."""

    runner: str
    trial: str
    kind: str  # of KINDS, or "displaced"
    speed: float
    spline: object
    rule: tuple[float, float]
    true: tuple[float, float]


def samples(runs: list[Run]) -> list[Sample]:
    """Rule contacts that pair with a belt contact, from every run and its copies."""
    rng = np.random.default_rng(20240117)
    settings = KinematicSettings(refine=False)
    out = []
    for run in runs:
        versions = [("markers", run.paths), ("displaced", _displaced(run.paths, rng))]
        if run.model_paths is not None:
            versions.append(("model", run.model_paths))
            versions.append(("displaced", _displaced(run.model_paths, rng)))
        for kind, paths in versions:
            feet = {s: foot_signals(paths, s) for s in SIDES}
            ground = surface_velocity(feet, paths.rate)
            speed = -float(ground @ paths.progression)
            for s in SIDES:
                spline = event_signals(feet[s], paths, ground)
                rules = rule_contacts(feet[s], ground, paths, settings)
                for rule, true in pairs(rules, run.force.of(s)):
                    if rule[0] > 0.15 and rule[1] < paths.time[-1] - 0.15:
                        sample = Sample(run.runner, run.name, kind, speed, spline, rule, true)
                        out.append(sample)
    return out


def pairs(
    found: tuple[Contact, ...], true: tuple[Contact, ...]
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Complete contacts of both lists that overlap in time."""
    return [
        ((f.initial_contact_s, f.toe_off_s), (t.initial_contact_s, t.toe_off_s))
        for f in found
        for t in true
        if f.complete
        and t.complete
        and f.initial_contact_s < t.toe_off_s
        and t.initial_contact_s < f.toe_off_s
    ]


def ridge(x: Array, y: Array) -> Pass:
    """Ridge regression on standardised columns, folded back to plain weights."""
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = (x - mean) / scale
    lhs = z.T @ z + RIDGE * len(y) * np.eye(z.shape[1])
    beta = np.linalg.solve(lhs, z.T @ (y - y.mean())) / scale
    return Pass(float(y.mean() - mean @ beta), beta.reshape(len(OFFSETS), len(SIGNALS)))


def fit(train: list[Sample], which: int) -> tuple[Pass, ...]:
    """Two passes for initial contact (0) or toe-off (1)."""
    at = np.array([s.rule[which] for s in train])
    true = np.array([s.true[which] for s in train])
    passes = []
    for _ in range(2):
        x = np.array([s.spline(t + OFFSETS).ravel() for s, t in zip(train, at, strict=True)])
        step = ridge(x, true - at)
        at = at + step.intercept + x @ step.weights.ravel()
        passes.append(step)
    return tuple(passes)


def left_out(data: list[Sample], which: int) -> dict[str, dict[str, Array]]:
    """Errors (s) by kind of path and trial, fitted on all kinds of the other runners."""
    errors: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
    for runner in sorted({s.runner for s in data}):
        passes = fit([s for s in data if s.runner != runner], which)
        for s in data:
            if s.runner == runner and s.kind in KINDS:
                at = corrected(s.rule[which], s.spline, passes, OFFSETS, (-1e9, 1e9))
                errors[s.kind].setdefault(s.trial, []).append(at - s.true[which])
    return {
        kind: {trial: np.array(e) for trial, e in trials.items()}
        for kind, trials in errors.items()
        if trials
    }


def outside(errors: dict[str, Array]) -> list[str]:
    """Trials whose mean error exceeds 5 ms or whose 95th percentile exceeds 10 ms."""
    return [
        f"{trial} (mean {1e3 * e.mean():+.1f}, 95 % within {1e3 * q:.1f} ms)"
        for trial, e in errors.items()
        if (q := float(np.quantile(np.abs(e), 0.95))) > 0.010 or abs(e.mean()) > 0.005
    ]


def describe(errors: Array) -> str:
    """Mean, mean absolute, 95th percentile and largest error, ms."""
    e = 1000.0 * errors
    size = np.abs(e)
    return (
        f"mean {e.mean():+.2f}, mean absolute {size.mean():.2f}, "
        f"95 % within {np.quantile(size, 0.95):.1f}, largest {size.max():.1f} ms"
    )


def as_toml(data: list[Sample], notes: dict[str, dict[str, str]]) -> str:
    """The table `models/events.toml`."""
    lines = [
        "# Written by scripts/fit_events.py; do not edit by hand.",
        'source = "RBDS runners, Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0"',
        f'method = "two-pass ridge ({RIDGE:g}) on {len(SIGNALS)} signals at {len(OFFSETS)} '
        'instants; paths of shoe markers and of the fitted model, each also displaced"',
        f"runners = {len({s.runner for s in data})}",
        f"contacts = {sum(s.kind == 'markers' for s in data)}",
        "offsets_s = [" + ", ".join(f"{o:.6f}" for o in OFFSETS) + "]",
    ]
    for which, name in enumerate(("initial_contact", "toe_off")):
        lag = np.array([s.true[which] - s.rule[which] for s in data])
        speed = np.array([s.speed for s in data])
        slope, constant = np.polyfit(speed, lag, 1)
        low, high = lag.min() - 0.01, lag.max() + 0.01
        lines += ["", f"[{name}]"]
        lines += [f'leave_one_runner_out_{k} = "{text}"' for k, text in notes[name].items()]
        lines += [f"fallback = [{constant:.6g}, {slope:.6g}]"]
        lines += [f"limits_s = [{low:.4f}, {high:.4f}]"]
        for step in fit(data, which):
            lines += ["", f"[[{name}.pass]]", f"intercept_s = {step.intercept:.8g}"]
            for k, signal in enumerate(SIGNALS):
                row = ", ".join(f"{w:.5g}" for w in step.weights[:, k])
                lines.append(f"{signal} = [{row}]")
    return "\n".join(lines) + "\n"


def missed_and_invented(run: Run, found: Contacts) -> tuple[int, int]:
    """Complete belt contacts without a partner, and complete found ones without one."""
    missed = invented = 0
    for s in SIDES:
        whole = [c for c in run.force.of(s) if c.complete]
        mine = [c for c in found.of(s) if c.complete]
        missed += sum(not pairs(found.of(s), (c,)) for c in whole)
        invented += sum(not pairs((c,), run.force.of(s)) for c in mine)
    return missed, invented


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="print, write nothing")
    parser.add_argument("--cache", type=Path, help="keep the model's foot paths (.npz)")
    arguments = parser.parse_args()
    runs = all_with_model(read_all(arguments.folder), arguments.folder, arguments.cache)
    data = samples(runs)
    notes: dict[str, dict[str, str]] = {}
    for which, name in enumerate(("initial_contact", "toe_off")):
        notes[name] = {}
        for kind, errors in left_out(data, which).items():
            notes[name][kind] = describe(np.concatenate(list(errors.values())))
            print(f"{name:16s}{kind:8s}{notes[name][kind]}")
            print(f"{'':24s}outside 5 ms / 10 ms: {'; '.join(outside(errors)) or 'none'}")
    lost = np.array([missed_and_invented(r, _rules(r)) for r in runs]).sum(axis=0)
    print(f"rules alone: missed {lost[0]}, invented {lost[1]} complete contacts")
    if not arguments.check:
        OUT.write_text(as_toml(data, notes), encoding="utf-8")
        print(f"wrote {OUT.name}")


def _rules(run: Run) -> Contacts:
    return events_from_kinematics(run.paths, KinematicSettings(refine=False))


if __name__ == "__main__":
    main()
