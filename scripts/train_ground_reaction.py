"""Train the prediction of running ground reaction and write its coefficients.

Reads the RBDS runs (Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0), measures
every stance on the instrumented belt, and fits the ridge regression of
`kneestride.loads.ground_model`. Validation leaves one runner out at a time, all speeds
together; contact times from markers, their correction, principal curves, scaling and the
ridge penalty are all fitted again on the other runners. The reference is the measured
force (offset removed, 20 Hz, stance above 50 N) over recorded body weight, and nothing of
the left-out runner's forces is used: no impulse is corrected.

    python scripts/train_ground_reaction.py ../shared/data/rbds [--check]

`--check` prints the table without writing `models/ground_reaction_running.npz` and
the table in `docs/ground_prediction.md`. About five minutes on one core.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import fit_events
import numpy as np
import rbds_paths
from kneestride.loads.ground import GroundSettings, measure_ground
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
from kneestride.loads.ground_prediction import PredictionSettings, predict_ground_reaction
from kneestride.loads.types import GroundReaction
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.event_refinement import Refinement, refine_contacts
from kneestride.motion.events import KinematicSettings, rule_contacts
from kneestride.motion.foot_signals import foot_signals, surface_velocity
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
MARKS = ("<!-- table: scripts/train_ground_reaction.py -->", "<!-- end of table -->")
RAW = PredictionSettings(exact_impulse=False)


@dataclass
class Trial:
    """A run with its measured ground reaction and what the feet say."""

    run: rbds_paths.Run
    reaction: GroundReaction
    force: Contacts
    signals: Signals
    local: Array  # (T, 2, 6) channels over time


def read(folder: Path) -> list[Trial]:
    """All runs, measured."""
    out = []
    for name in rbds_paths.names(folder):
        run = rbds_paths.read_run(folder, name)
        measured = measure_ground(run.forces, run.paths, run.mass, GroundSettings(cutoff=20.0))
        lists: dict[str, list[Contact]] = {"r": [], "l": []}
        for c in measured.contacts:
            lists[c.side].append(Contact(c.start, c.end, c.complete, c.complete))
        signals = stance_signals(run.paths)
        force = Contacts(tuple(lists["r"]), tuple(lists["l"]))
        local = channels(run, measured.reaction, signals)
        out.append(Trial(run, measured.reaction, force, signals, local))
    return out


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


def marker_contacts(trials: list[Trial], left_out: str) -> list[Contacts]:
    """Contacts of every run from markers, the correction fitted without one runner."""
    train = [d for d in _event_samples(trials) if d.runner != left_out]
    passes = [fit_events.fit(train, which) for which in (0, 1)]
    fallback, limits = [], []
    for which in (0, 1):
        lag = np.array([d.true[which] - d.rule[which] for d in train])
        slope, constant = np.polyfit(np.array([d.speed for d in train]), lag, 1)
        fallback.append((float(constant), float(slope)))
        limits.append((float(lag.min() - 0.01), float(lag.max() + 0.01)))
    model = Refinement(
        fit_events.OFFSETS,
        passes[0],
        passes[1],
        (fallback[0], fallback[1]),
        (limits[0], limits[1]),
    )
    out = []
    for trial in trials:
        feet = {s: foot_signals(trial.run.paths, s) for s in SIDES}
        ground = surface_velocity(feet, trial.run.paths.rate)
        rule = KinematicSettings(refine=False)
        found = {
            s: refine_contacts(
                rule_contacts(feet[s], ground, trial.run.paths, rule),
                feet[s],
                trial.run.paths,
                ground,
                model,
            )
            for s in SIDES
        }
        out.append(Contacts(found["r"], found["l"], source="kinematics"))
    return out


_SAMPLES: list[fit_events.Sample] = []


def _event_samples(trials: list[Trial]) -> list[fit_events.Sample]:
    if not _SAMPLES:
        runs = [fit_events.Run(t.run.name, t.run.runner, t.run.paths, t.force) for t in trials]
        _SAMPLES.extend(fit_events.samples(runs))
    return _SAMPLES


def shifted(contacts: Contacts, rng: np.random.Generator) -> Contacts:
    """The same contacts with landing and toe-off moved."""
    run = rng.uniform(-SHIFT, SHIFT, 2)

    def move(c: Contact) -> Contact:
        own = run + rng.normal(0.0, 0.003, 2)
        return replace(
            c, initial_contact_s=c.initial_contact_s + own[0], toe_off_s=c.toe_off_s + own[1]
        )

    return Contacts(tuple(map(move, contacts.r)), tuple(map(move, contacts.l)))


def samples(trials: list[Trial], contacts: list[Contacts]) -> dict[str, tuple[Array, Array]]:
    """Features and measured curves of every runner's stances, shifted copies included."""
    rng = np.random.default_rng(20240607)
    rows: dict[str, tuple[list[Array], list[Array]]] = {}
    for copy in range(COPIES + 1):
        for trial, found in zip(trials, contacts, strict=True):
            used = found if copy == 0 else shifted(found, rng)
            x, y = rows.setdefault(trial.run.runner, ([], []))
            for n, stance in enumerate(stances(used)):
                # Strides of one run are alike: every second one will do, another in
                # each copy.
                if (n // 2 + copy) % 2 == 0 and inside(stance, trial.signals.span):
                    x.append(stance_features(trial.signals, stance))
                    y.append(curves_of(trial, stance))
    return {r: (np.array(x), np.array(y)) for r, (x, y) in rows.items()}


def train(data: dict[str, tuple[Array, Array]]) -> tuple[GroundModel, float]:
    """Coefficients from some runners, with the penalty that serves left-out ones best."""
    mean, curves = principal_curves(np.concatenate([y for _, y in data.values()]), COUNTS)
    scores = {r: np.einsum("scn,kcn->sk", y - mean, curves) for r, (_, y) in data.items()}
    groups = {r: Moments(x, scores[r]) for r, (x, _) in data.items()}
    # Forces count in body weights; the other channels follow the penalty they choose.
    forces = sum(COUNTS[:3])
    loss = np.zeros(len(PENALTIES))
    for part in range(PARTS):
        out = set(sorted(data)[part::PARTS])
        fits = Moments.fit([g for o, g in groups.items() if o not in out], PENALTIES)
        for r in out:
            for k, fit in enumerate(fits):
                z = (data[r][0] - fit.centre) / fit.scale
                miss = z @ fit.weights + fit.intercept - scores[r]
                loss[k] += float((miss[:, :forces] ** 2).sum(1).mean())
    best = int(np.argmin(loss))
    (fit,) = Moments.fit(list(groups.values()), [PENALTIES[best]])
    size = np.concatenate(
        [np.sqrt((((x - fit.centre) / fit.scale) ** 2).mean(1)) for x, _ in data.values()]
    )
    model = GroundModel(
        centre=fit.centre,
        scale=fit.scale,
        weights=fit.weights,
        curves=curves,
        mean=mean + np.einsum("k,kcn->cn", fit.intercept, curves),
        speeds=np.array(SPEEDS),
        error=np.zeros((len(SPEEDS), len(CHANNELS), len(CURVE_PHASES))),
        usual=float(np.percentile(size, 99.0)),
        about={},
    )
    return model, PENALTIES[best]


@dataclass
class Score:
    """Errors of one left-out run; forces in BW, centre of pressure in m."""

    runner: str
    speed: float
    rmse: Array  # forward, up, right
    active: float
    impact: float
    pressure: Array  # along, across
    squares: Array  # (C, N) mean squared curve error


def score(trial: Trial, contacts: Contacts, model: GroundModel) -> Score:
    """Predict a run and compare with the belt, frame by frame over measured stance."""
    paths, weight = trial.run.paths, trial.run.mass * GRAVITY
    got = predict_ground_reaction(paths, trial.run.mass, contacts, RAW, model)
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
    guess = model.predict(np.array([stance_features(trial.signals, x) for x in found]))
    return Score(
        trial.run.runner,
        float(-paths.belt_velocity[0]),
        np.sqrt((np.concatenate(misses) ** 2).mean(0)),
        float(np.mean(np.abs(active))),
        float(np.mean(np.abs(impact))) if impact else float("nan"),
        np.sqrt((np.concatenate(arms) ** 2).mean(0)),
        ((guess - truth) ** 2).mean(0),
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


def insert_table(page: Path, text: str) -> None:
    """Replace what stands between the two marks of the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    page.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Validate, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="print, write nothing")
    arguments = parser.parse_args()
    trials = read(arguments.folder)
    runners = sorted({t.run.runner for t in trials})
    print(f"{len(trials)} runs of {len(runners)} runners read", flush=True)
    scores, chosen = [], []
    for runner in runners:
        contacts = marker_contacts(trials, runner)
        data = samples(trials, contacts)
        model, penalty = train({r: d for r, d in data.items() if r != runner})
        chosen.append(penalty)
        scores += [
            score(t, c, model)
            for t, c in zip(trials, contacts, strict=True)
            if t.run.runner == runner
        ]
        last = scores[-1]
        print(f"{runner}: penalty {penalty:g}, at 4.5 m/s {last.rmse.round(3)}", flush=True)
    text = table(scores)
    print(text)
    if arguments.check:
        return
    contacts = marker_contacts(trials, "")
    data = samples(trials, contacts)
    model, penalty = train(data)
    error = [
        np.sqrt(np.mean([s.squares for s in scores if s.speed == v], axis=0)) for v in SPEEDS
    ]
    about = {
        "source": "RBDS runners, Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0",
        "runners": str(len(runners)),
        "stances": str(sum(len(x) for x, _ in data.values())),
        "penalty": f"{penalty:g}",
        "written_by": "scripts/train_ground_reaction.py",
    }
    model = replace(model, error=np.array(error), about=about)
    save_ground_model(model, ROOT / "models" / FILE)
    insert_table(ROOT / "docs" / "ground_prediction.md", text)
    print(f"wrote models/{FILE} (penalty {penalty:g}; in the folds {sorted(set(chosen))})")


if __name__ == "__main__":
    main()
