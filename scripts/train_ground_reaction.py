"""Train the prediction of running ground reaction and write its coefficients.

Reads the RBDS runs (Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0), measures
every stance on the instrumented belt, and fits the ridge regression of
`kneestride.loads.ground_model` and the 126 coefficients of
`kneestride.loads.ground_effective_mass`. Every run is used in two views, so that the
coefficients do not lean on one way of finding joint centres: straight from the markers,
and from the fitted model's inverse kinematics as `kneestride analyse` makes it. Training
stances are cut by the belt's own contacts, shifted at random.

Validation leaves one runner out at a time, all speeds and both views together; the
correction of contact times, principal curves, scaling and ridge penalty are all fitted
again on the other runners. The left-out runner's contacts come from the movement alone.
The reference is the measured force (offset removed, 20 Hz, stance above 50 N) over
recorded body weight; no impulse is corrected.

    python scripts/train_ground_reaction.py ../shared/data/rbds [--check] [--cache FOLDER]

`--check` prints the tables without writing `models/ground_reaction_running.npz` and
the tables in `docs/ground_prediction.md`. `--cache` keeps the model's paths and the
coefficients of every fold. About ten minutes on one core without the cache.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import fit_events
import numpy as np
import rbds_paths
from kneestride import stages
from kneestride.loads.ground import GroundSettings, measure_ground
from kneestride.loads.ground_effective_mass import TERMS, terms
from kneestride.loads.ground_features import (
    Signals,
    Stance,
    foot_frame,
    inside,
    stance_features,
    stance_signals,
    stances,
)
from kneestride.loads.ground_model import (
    CHANNELS,
    CURVE_PHASES,
    FILE,
    GroundModel,
    Moments,
    principal_curves,
    save_ground_model,
)
from kneestride.loads.ground_prediction import (
    PredictionSettings,
    predict_ground_reaction,
    predicted_curves,
)
from kneestride.loads.types import GroundReaction
from kneestride.model.fitting import fit_subject
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.event_refinement import Refinement, refine_contacts
from kneestride.motion.events import KinematicSettings, rule_contacts
from kneestride.motion.foot_signals import foot_signals, surface_velocity
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.settings import Settings, check_subject
from kneestride.vocabulary import GRAVITY, SIDES, Array

ROOT = Path(__file__).resolve().parents[1]
COUNTS = (8, 14, 8, 6, 4, 4)
"""Principal curves of each channel."""

PENALTIES = [0.01, 0.03, 0.1, 0.3]
SHIFT = 0.025
"""s; events of training copies are shifted by up to this, the same over a run (other
laboratories' events are that far off), and by 3 ms (SD) from stance to stance."""

COPIES = 2
PARTS = 5
"""Parts into which the training runners are divided for choosing the penalty."""

SPEEDS = (2.5, 3.5, 4.5)
METHODS = ("learned", "effective_mass")
VIEWS = ("model", "markers")
MARKS = "<!-- table: scripts/train_ground_reaction.py {} -->", "<!-- end of table -->"
RAW = PredictionSettings(exact_impulse=False)
MASS_PENALTY = 0.003
"""Ridge penalty of the 126 coefficients, whose terms number few enough to need little."""


@dataclass
class Trial:
    """A view of a run with its measured ground reaction and what the feet say."""

    run: rbds_paths.Run
    view: str
    reaction: GroundReaction
    force: Contacts
    signals: Signals
    local: Array  # (T, 2, 6) channels over time


def read(folder: Path, cache: Path | None) -> list[Trial]:
    """Both views of all runs, measured."""
    out = []
    for name in rbds_paths.names(folder):
        run = rbds_paths.read_run(folder, name)
        measured = measure_ground(run.forces, run.paths, run.mass, GroundSettings(cutoff=20.0))
        lists: dict[str, list[Contact]] = {"r": [], "l": []}
        for c in measured.contacts:
            lists[c.side].append(Contact(c.start, c.end, c.complete, c.complete))
        force = Contacts(tuple(lists["r"]), tuple(lists["l"]))
        for view in VIEWS:
            seen = run if view == "markers" else replace(run, paths=_kept(run, folder, cache))
            signals = stance_signals(seen.paths)
            local = channels(seen, measured.reaction, signals)
            out.append(Trial(seen, view, measured.reaction, force, signals, local))
    return out


def _kept(run: rbds_paths.Run, folder: Path, cache: Path | None) -> AnatomicalPaths:
    """`model_paths`, kept in the cache's folder."""
    file = None if cache is None else cache / f"{run.name}.npz"
    if file is not None and file.is_file():
        with np.load(file) as stored:
            return replace(run.paths, points={n: stored[n] for n in stored.files})
    points = model_points(run, folder)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **points)
    return replace(run.paths, points=points)


def model_points(run: rbds_paths.Run, folder: Path) -> dict[str, Array]:
    """Unfiltered points of a run as the fitted model has them; RBDS needs no turning."""
    settings = Settings()
    mass, height = fit_events.participants(folder)[int(run.runner.removeprefix("RBDS"))]
    subject = check_subject(mass, height, "")
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
    points = stages.smooth(fitted, prepared, raw, None).paths.points
    return {n: points[n] for n in run.paths.points if n in points}


def channels(run: rbds_paths.Run, reaction: GroundReaction, signals: Signals) -> Array:
    """Measured force, centre of pressure and torque (T, 2, 6) in the foot's own terms."""
    weight = run.mass * GRAVITY
    out = np.zeros((len(reaction.time), 2, len(CHANNELS)))
    for s, side in enumerate(SIDES):
        mirror = 1.0 if side == "r" else -1.0
        ball, along, outward = foot_frame(signals, side, reaction.time)
        arm = reaction.point[:, s] - ball
        size = signals.foot[s]
        out[:, s, :3] = reaction.force[:, s] / weight * [1.0, 1.0, mirror]
        place = np.column_stack(((arm * along).sum(1), (arm * outward).sum(1))) / size
        loaded = np.flatnonzero(reaction.force[:, s, 1] > 50.0)
        out[:, s, 3:5] = place[_nearest(loaded, len(place))]
        out[:, s, 5] = mirror * reaction.torque[:, s, 1] / (weight * size)
    return out


def _nearest(good: Array, length: int) -> Array:
    rows = np.arange(length)
    right = np.clip(np.searchsorted(good, rows), 0, len(good) - 1)
    left = np.clip(right - 1, 0, None)
    return np.where(rows - good[left] <= good[right] - rows, good[left], good[right])


def curves_of(trial: Trial, stance: Stance) -> Array:
    """Measured channels (C, N) over the phases of a stance; nothing of other stances."""
    s = SIDES.index(stance.side)
    time = trial.reaction.time
    at = stance.start + (stance.end - stance.start) * CURVE_PHASES
    values = np.array([np.interp(at, time, c) for c in trial.local[:, s].T])
    middle = 0.5 * (stance.start + stance.end)
    own = [c for c in trial.force.of(stance.side) if c.initial_contact_s < middle < c.toe_off_s]
    if own:
        c = own[0]
        away = (at < c.initial_contact_s - 0.02) | (at > c.toe_off_s + 0.02)
        values[np.ix_([0, 1, 2, 5], np.flatnonzero(away))] = 0.0
        first = np.interp(c.initial_contact_s + 0.01, time, np.arange(len(time)))
        last = np.interp(c.toe_off_s - 0.01, time, np.arange(len(time)))
        for k in (3, 4):
            values[k, at < c.initial_contact_s] = trial.local[round(first), s, k]
            values[k, at > c.toe_off_s] = trial.local[round(last), s, k]
    return values


def event_correction(data: list[fit_events.Sample], left_out: str) -> Refinement:
    """The correction of marker-only contacts, fitted without one runner."""
    train = [d for d in data if d.runner != left_out]
    passes = [fit_events.fit(train, which) for which in (0, 1)]
    fallback, limits = [], []
    for which in (0, 1):
        lag = np.array([d.true[which] - d.rule[which] for d in train])
        slope, constant = np.polyfit(np.array([d.speed for d in train]), lag, 1)
        fallback.append((float(constant), float(slope)))
        limits.append((float(lag.min() - 0.01), float(lag.max() + 0.01)))
    return Refinement(
        fit_events.OFFSETS,
        passes[0],
        passes[1],
        (fallback[0], fallback[1]),
        (limits[0], limits[1]),
    )


def contacts_of(paths: AnatomicalPaths, model: Refinement) -> Contacts:
    """Contacts from the movement, with a given correction."""
    feet = {s: foot_signals(paths, s) for s in SIDES}
    ground = surface_velocity(feet, paths.rate)
    rule = KinematicSettings(refine=False)
    found = {
        s: refine_contacts(
            rule_contacts(feet[s], ground, paths, rule), feet[s], paths, ground, model
        )
        for s in SIDES
    }
    return Contacts(found["r"], found["l"], source="kinematics")


def event_samples(trials: list[Trial]) -> list[fit_events.Sample]:
    """Rule contacts of every run in both views."""
    model = {t.run.name: t.run.paths for t in trials if t.view == "model"}
    runs = [
        fit_events.Run(t.run.name, t.run.runner, t.run.paths, t.force, model[t.run.name])
        for t in trials
        if t.view == "markers"
    ]
    return fit_events.samples(runs)


def shifted(contacts: Contacts, rng: np.random.Generator) -> Contacts:
    """The same contacts with landing and toe-off moved."""
    run = rng.uniform(-SHIFT, SHIFT, 2)

    def move(c: Contact) -> Contact:
        own = run + rng.normal(0.0, 0.003, 2)
        return replace(
            c, initial_contact_s=c.initial_contact_s + own[0], toe_off_s=c.toe_off_s + own[1]
        )

    return Contacts(tuple(map(move, contacts.r)), tuple(map(move, contacts.l)))


@dataclass
class Stances:
    """Training stances of a runner: features (S, F), curves (S, C, N), and the normal
    equations of the effective masses, (TERMS, TERMS) and (TERMS, 3)."""

    x: Array
    y: Array
    products: Array
    right: Array


def samples(trials: list[Trial]) -> dict[str, Stances]:
    """Every runner's stances, shifted copies included."""
    rng = np.random.default_rng(20240607)
    rows: dict[str, tuple[list[Array], list[Array], list[Array], list[Array]]] = {}
    inner = (CURVE_PHASES >= 0.0) & (CURVE_PHASES <= 1.0)
    for copy in range(COPIES + 1):
        for trial in trials:
            used = trial.force if copy == 0 else shifted(trial.force, rng)
            x, y, a, b = rows.setdefault(trial.run.runner, ([], [], [], []))
            for n, stance in enumerate(stances(used)):
                # Strides of one run are alike: every second one will do, another in
                # each copy.
                if (n // 2 + copy) % 2 or not inside(stance, trial.signals.span):
                    continue
                x.append(stance_features(trial.signals, stance))
                y.append(curves_of(trial, stance))
                if copy == 0:
                    each = terms(trial.signals, stance, CURVE_PHASES[inner])
                    a.append(each.T @ each)
                    b.append(each.T @ y[-1][:3, inner].T)
    return {
        r: Stances(np.array(x), np.array(y), np.mean(a, axis=0), np.mean(b, axis=0))
        for r, (x, y, a, b) in rows.items()
    }


def train(data: dict[str, Stances]) -> tuple[GroundModel, float]:
    """Coefficients from some runners, with the penalty that serves left-out ones best."""
    mean, curves = principal_curves(np.concatenate([d.y for d in data.values()]), COUNTS)
    scores = {r: np.einsum("scn,kcn->sk", d.y - mean, curves) for r, d in data.items()}
    groups = {r: Moments(d.x, scores[r]) for r, d in data.items()}
    # Forces count in body weights; the other channels follow the penalty they choose.
    forces = sum(COUNTS[:3])
    loss = np.zeros(len(PENALTIES))
    for part in range(PARTS):
        out = set(sorted(data)[part::PARTS])
        fits = Moments.fit([g for o, g in groups.items() if o not in out], PENALTIES)
        for r in out:
            for k, fit in enumerate(fits):
                z = (data[r].x - fit.centre) / fit.scale
                miss = z @ fit.weights + fit.intercept - scores[r]
                loss[k] += float((miss[:, :forces] ** 2).sum(1).mean())
    best = int(np.argmin(loss))
    (fit,) = Moments.fit(list(groups.values()), [PENALTIES[best]])
    size = np.concatenate(
        [np.sqrt((((d.x - fit.centre) / fit.scale) ** 2).mean(1)) for d in data.values()]
    )
    no_error = np.zeros((len(SPEEDS), len(CHANNELS), len(CURVE_PHASES)))
    model = GroundModel(
        centre=fit.centre,
        scale=fit.scale,
        weights=fit.weights,
        curves=curves,
        mean=mean + np.einsum("k,kcn->cn", fit.intercept, curves),
        speeds=np.array(SPEEDS),
        error=no_error,
        lasting=np.ones(len(CHANNELS)),
        effective=effective_masses(data.values()),
        effective_error=no_error,
        usual=float(np.percentile(size, 99.0)),
        about={},
    )
    return model, PENALTIES[best]


def effective_masses(data: Iterable[Stances]) -> Array:
    """Ridge regression of the force on segment accelerations, (TERMS, 3)."""
    products = np.mean([d.products for d in data], axis=0)
    right = np.mean([d.right for d in data], axis=0)
    scale = np.sqrt(np.diag(products) / np.trace(products) * TERMS)
    whitened = products / np.outer(scale, scale)
    whitened += MASS_PENALTY * np.trace(products) / TERMS * np.eye(TERMS)
    return np.asarray(np.linalg.solve(whitened, right / scale[:, None]) / scale[:, None])


@dataclass
class Score:
    """Errors of one left-out run; forces in BW, centre of pressure in m."""

    runner: str
    view: str
    method: str
    speed: float
    rmse: Array  # forward, up, right
    active: float
    impact: float
    pressure: Array  # along, across
    squares: Array  # (C, N) mean squared curve error
    lasting: Array  # (C, N) squared mean of each side's curve error, mean over sides


def score(trial: Trial, contacts: Contacts, model: GroundModel, method: str) -> Score:
    """Predict a run and compare with the belt, frame by frame over measured stance."""
    paths, weight = trial.run.paths, trial.run.mass * GRAVITY
    settings = replace(RAW, method=method)
    got = predict_ground_reaction(paths, trial.run.mass, contacts, settings, model)
    misses, active, impact, arms = [], [], [], []
    for s, side in enumerate(SIDES):
        vertical = trial.reaction.force[:, s, 1]
        for c in trial.force.of(side):
            begin, end = c.initial_contact_s, c.toe_off_s
            k = np.flatnonzero((paths.time >= begin) & (paths.time <= end) & (vertical > 50.0))
            mine = [p for p in got.stances if p.side == side and p.start < end]
            if not c.complete or not any(p.end > begin for p in mine):
                continue
            force = np.array([got.reaction.force[k, s], trial.reaction.force[k, s]]) / weight
            misses.append(force[0] - force[1])
            late = slice(len(k) * 3 // 10, None)
            active.append(force[0, late, 1].max() - force[1, late, 1].max())
            early = force[1, : len(k) * 3 // 10, 1]
            rising = np.diff(early) > 0
            tops = np.flatnonzero(rising[:-1] & ~rising[1:]) + 1
            if len(tops):
                window = force[0, max(0, tops[0] - 3) : tops[0] + 4, 1]
                impact.append(float(window.max() - early[tops[0]]))
            _, along, outward = foot_frame(trial.signals, side, paths.time[k])
            gap = got.reaction.point[k, s] - trial.reaction.point[k, s]
            arms.append(np.column_stack(((gap * along).sum(1), (gap * outward).sum(1))))
    found = [x for x in stances(contacts) if inside(x, trial.signals.span)]
    truth = np.array([curves_of(trial, x) for x in found])
    guess = predicted_curves(model, trial.signals, found, method)
    return Score(
        trial.run.runner,
        trial.view,
        method,
        float(-paths.belt_velocity[0]),
        np.sqrt((np.concatenate(misses) ** 2).mean(0)),
        float(np.mean(np.abs(active))),
        float(np.mean(np.abs(impact))) if impact else float("nan"),
        np.sqrt((np.concatenate(arms) ** 2).mean(0)),
        ((guess - truth) ** 2).mean(0),
        np.mean(
            [
                (guess - truth)[[p.side == side for p in found]].mean(0) ** 2
                for side in SIDES
                if any(p.side == side for p in found)
            ],
            axis=0,
        ),
    )


def table(scores: list[Score]) -> str:
    """Markdown table: median, 90th percentile and worst runner at each speed."""
    lines = [
        "| speed, m/s | over runners | vertical | fore-aft | medio-lateral | active peak "
        "| impact peak | pressure along, mm | across, mm |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for speed in SPEEDS:
        rows = np.array(
            [
                [s.rmse[1], s.rmse[0], s.rmse[2], s.active, s.impact, *(1000 * s.pressure)]
                for s in scores
                if s.speed == speed
            ]
        )
        for name, row in (
            ("median", np.nanmedian(rows, 0)),
            ("90th percentile", np.nanpercentile(rows, 90, 0)),
            ("worst", np.nanmax(rows, 0)),
        ):
            cells = [f"{v:.3f}" for v in row[:5]] + [f"{v:.1f}" for v in row[5:]]
            lines.append(f"| {speed:.1f} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def insert_table(page: Path, name: str, text: str) -> None:
    """Replace what stands between two marks of the page."""
    mark = MARKS[0].format(name)
    before, _, rest = page.read_text(encoding="utf-8").partition(mark)
    after = rest.partition(MARKS[1])[2]
    page.write_text(f"{before}{mark}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Validate, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="print, write nothing")
    parser.add_argument("--cache", type=Path, help="folder for paths and folds")
    arguments = parser.parse_args()
    trials = read(arguments.folder, arguments.cache)
    runners = sorted({t.run.runner for t in trials})
    print(f"{len(trials)} views of runs of {len(runners)} runners read", flush=True)
    events, data = event_samples(trials), samples(trials)
    print(f"{sum(len(d.x) for d in data.values())} stances to train on", flush=True)
    scores, chosen = [], []
    for runner in runners:
        correction = event_correction(events, runner)
        model, penalty = train({r: d for r, d in data.items() if r != runner})
        chosen.append(penalty)
        for t in trials:
            if t.run.runner == runner:
                contacts = contacts_of(t.run.paths, correction)
                scores += [score(t, contacts, model, m) for m in METHODS]
                if arguments.cache is not None and t.view == "model":
                    keep_fold(arguments.cache, t, contacts, model)
        last = scores[-2]
        print(
            f"{runner}: penalty {penalty:g}, {last.speed} m/s {last.rmse.round(3)}", flush=True
        )
    texts = {
        f"{method} {view}": table([s for s in scores if s.method == method and s.view == view])
        for method in METHODS
        for view in VIEWS
    }
    for name, text in texts.items():
        print(f"{name}\n{text}")
    if arguments.check:
        return
    model, penalty = train(data)
    error = {
        method: np.array(
            [
                np.sqrt(
                    np.mean(
                        [s.squares for s in scores if s.speed == v and s.method == method],
                        axis=0,
                    )
                )
                for v in SPEEDS
            ]
        )
        for method in METHODS
    }
    about = {
        "source": "RBDS runners, Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0",
        "runners": str(len(runners)),
        "stances": str(sum(len(d.x) for d in data.values())),
        "penalty": f"{penalty:g}",
        "errors": "standard deviations of left-out runners' stances, by channel, phase, speed",
        "written_by": "scripts/train_ground_reaction.py",
    }
    model = replace(
        model,
        error=error["learned"],
        lasting=lasting([s for s in scores if s.method == "learned"]),
        effective_error=error["effective_mass"],
        about=about,
    )
    save_ground_model(model, ROOT / "models" / FILE)
    for name in ("learned model", "effective_mass model"):
        insert_table(ROOT / "docs" / "ground_prediction.md", name, texts[name])
    print(f"wrote models/{FILE} (penalty {penalty:g}; in the folds {sorted(set(chosen))})")


def lasting(scores: list[Score]) -> Array:
    """Share (C,) of the error's variance in stance that stays over the strides of a leg."""
    inner = (CURVE_PHASES >= 0.0) & (CURVE_PHASES <= 1.0)
    stay = np.sum([s.lasting[:, inner].mean(1) for s in scores], axis=0)
    return np.asarray(stay / np.sum([s.squares[:, inner].mean(1) for s in scores], axis=0))


def keep_fold(cache: Path, trial: Trial, contacts: Contacts, model: GroundModel) -> None:
    """Write what predicts a left-out run, for other scripts to use."""
    save_ground_model(model, cache / f"fold_{trial.run.runner}.npz")
    rows = [
        (SIDES.index(s), c.initial_contact_s, c.toe_off_s, c.complete_start, c.complete_end)
        for s in SIDES
        for c in contacts.of(s)
    ]
    np.save(cache / f"contacts_{trial.run.name}.npy", np.array(rows, dtype=float))


if __name__ == "__main__":
    main()
