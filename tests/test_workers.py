"""The same results whoever works on them; a companion that may fail without harm."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from kneestride import companion, workers
from kneestride.errors import SettingsError
from kneestride.loads.muscles import strength_scale
from kneestride.loads.recruitment import recruit
from kneestride.loads.sampling import sample_stride
from kneestride.loads.sensitivities import analytic_sensitivities, default_sources
from kneestride.loads.uncertainty import propagate
from kneestride.results.tables import format_table
from test_inverse_kinematics import lively, markers_of, solved
from test_recruitment import lunge


@pytest.mark.parametrize("frames", [0, 1, 511, 512, 513, 2000])
def test_blocks_cover_every_frame_once(frames: int) -> None:
    covered = [t for a, b in workers.blocks(frames) for t in range(a, b)]
    assert covered == list(range(frames))
    sizes = [b - a for a, b in workers.blocks(frames)]
    assert len(sizes) < 2 or (len(sizes) % 2 == 0 and max(sizes) - min(sizes) <= 1)
    assert max(sizes, default=0) <= workers.BLOCK


def test_work_is_shared_and_nested_work_is_not() -> None:
    seen: set[int] = set()
    inside: list[int] = []
    both = threading.Barrier(2, timeout=10)

    def work(start: int, stop: int) -> None:
        # Passes only when two threads are here at once.
        both.wait()
        seen.add(threading.get_ident())
        inside.append(workers.count())

    with workers.limited_to(2):
        workers.over_blocks(work, 2 * workers.BLOCK)
    assert len(seen) == 2 and inside == [1, 1]


def test_what_goes_wrong_in_a_block_is_raised() -> None:
    def work(start: int, stop: int) -> None:
        if start:
            raise ZeroDivisionError

    with workers.limited_to(2), pytest.raises(ZeroDivisionError):
        workers.over_blocks(work, 2 * workers.BLOCK)


@pytest.mark.parametrize("given", [0, -1])
def test_a_number_of_workers_below_one_is_refused(given: int) -> None:
    with pytest.raises(SettingsError, match="workers of 1 or more"), workers.limited_to(given):
        pass


def test_the_environment_sets_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNEESTRIDE_WORKERS", "3")
    assert workers.count() == 3
    monkeypatch.setenv("KNEESTRIDE_WORKERS", "many")
    with pytest.raises(SettingsError):
        workers.count()


def test_inverse_kinematics_is_the_same_with_one_worker_and_two() -> None:
    time, q = lively(1100, 3)
    markers = markers_of(q)
    found = []
    for count in (1, 2):
        with workers.limited_to(count):
            found.append(solved(time, markers).q)
    assert np.array_equal(*found)
    # And blocks follow the path that one chain from the start would have followed.
    np.testing.assert_allclose(found[0], q, atol=1e-6)


def test_recruitment_is_the_same_with_one_worker_and_two() -> None:
    problem = lunge().problem
    frames = len(problem.time)
    many = _stacked(problem, 3 * workers.BLOCK // frames + 1)
    found = []
    for count in (1, 2):
        with workers.limited_to(count):
            found.append(recruit(many).muscles)
    assert np.array_equal(found[0].force, found[1].force)
    once = recruit(problem).muscles.force
    np.testing.assert_allclose(found[0].force[-frames:], once, rtol=1e-8, atol=1e-7)


def _stacked(problem, times: int):  # type: ignore[no-untyped-def]
    """The problem's frames, so often one after the other."""
    whole = problem.window(0, len(problem.time))

    def again(value):  # type: ignore[no-untyped-def]
        from dataclasses import fields, is_dataclass, replace

        if is_dataclass(value) and not isinstance(value, type):
            return replace(
                value, **{f.name: again(getattr(value, f.name)) for f in fields(value)}
            )
        same = isinstance(value, np.ndarray) and value.ndim and len(value) == len(problem.time)
        return np.concatenate([value] * times) if same else value

    return again(whole)


# --- the writer -------------------------------------------------------------------------


def test_a_written_table_gives_back_its_figures(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from kneestride.results.tables import read_table

    rng = np.random.default_rng(4)
    values = rng.normal(size=(700, 5)) * 10.0 ** rng.integers(-12, 12, (700, 5))
    values[3, 2] = np.nan
    path = tmp_path / "table.sto"
    path.write_text(format_table("t", list("abcde"), np.arange(700) / 150, values))
    found = read_table(path).values
    # Nine digits are written, and those exactly: a second writing changes nothing.
    np.testing.assert_allclose(found, values, rtol=5.1e-9)
    path.write_text(format_table("t", list("abcde"), np.arange(700) / 150, found))
    assert np.array_equal(read_table(path).values, found, equal_nan=True)


# --- the companion ----------------------------------------------------------------------


@pytest.fixture
def running() -> Iterator[None]:
    with workers.limited_to(2):
        companion.start()
        yield
        companion.stop()


@pytest.mark.usefixtures("running")
def test_the_companion_gives_what_the_function_gives() -> None:
    answers = [companion.later(strength_scale, m, 1.8) for m in (60.0, 70.0)]
    assert [a() for a in answers] == [strength_scale(60.0, 1.8), strength_scale(70.0, 1.8)]


@pytest.mark.usefixtures("running")
def test_a_fault_in_the_companion_is_raised_by_who_asked() -> None:
    answer = companion.later(strength_scale, -1.0, 1.8)
    with pytest.raises(SettingsError, match="body mass and height above zero"):
        answer()


@pytest.mark.usefixtures("running")
def test_a_companion_that_dies_costs_time_only() -> None:
    answer = companion.later(strength_scale, 60.0, 1.8)
    companion.stop()
    assert answer() == strength_scale(60.0, 1.8)


@pytest.mark.usefixtures("running")
def test_what_was_begun_ahead_is_not_begun_again() -> None:
    name = "kneestride.loads.muscles:strength_scale"
    for mass in (60.0, 70.0):
        companion.ahead(name, mass, 1.8)
    assert companion.later(strength_scale, 70.0, 1.8)() == strength_scale(70.0, 1.8)
    # Other arguments are another question.
    assert companion.later(strength_scale, 80.0, 1.8)() == strength_scale(80.0, 1.8)
    assert [begun[1] for begun in companion._begun] == [(60.0, 1.8)]
    companion.stop()
    assert not companion._begun


@pytest.mark.usefixtures("running")
def test_loading_modules_does_not_mix_up_the_answers() -> None:
    companion.load("colorsys", "no_such_module_as_this")
    assert companion.later(strength_scale, 70.0, 1.8)() == strength_scale(70.0, 1.8)


def test_one_worker_has_no_companion() -> None:
    with workers.limited_to(1):
        companion.start()
        here = threading.get_ident()
        companion.ahead("threading:get_ident")
        assert companion.later(threading.get_ident)() == here


# --- samples of a stride ------------------------------------------------------------------

LEG = np.array([[0.45, 0.42], [0.45, 0.42]])


def test_samples_without_spread_are_the_recruitment_itself() -> None:
    from kneestride.loads.recruitment import RecruitmentSettings
    from kneestride.loads.sensitivities import Source

    problem, settings = lunge().problem, RecruitmentSettings()
    vertical = np.full((len(problem.time), 2), 400.0)
    sure = [Source(s.name, 0.0, s.unit, s.kind) for s in default_sources(False)]
    found = sample_stride(problem, settings, vertical, LEG, sure, 3, criterion=False)
    for medial in found.medial:
        np.testing.assert_allclose(medial, recruit(problem, settings).medial, rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["contact_spacing", "knee_center", "center_of_pressure", "alignment"]
)
def test_small_shifts_move_load_as_statics_say(name: str) -> None:
    from kneestride.loads.recruitment import RecruitmentSettings
    from kneestride.loads.sensitivities import Source

    problem, settings = lunge().problem, RecruitmentSettings(knee_weight=0.0)
    base = recruit(problem, settings)
    vertical = np.full((len(problem.time), 2), 400.0)
    small = [Source(name, 1e-5, "m", "anatomy")]
    found = sample_stride(problem, settings, vertical, LEG, small, 8, criterion=False)
    spacing = abs(float(np.diff(problem.balance.lever[0])[0]))
    law = analytic_sensitivities(
        base.medial[:, 0], base.lateral[:, 0], vertical[:, 0], spacing, *LEG[0]
    )
    pressed = (base.medial[:, 0] > 20.0) & (base.lateral[:, 0] > 20.0)
    assert pressed.any()
    sides = found.medial[:, pressed, 0] - found.lateral[:, pressed, 0]
    before = (base.medial - base.lateral)[pressed, 0]
    expected = 2.0 * law[name][pressed, 0] * found.drawn[name][:, None]
    np.testing.assert_allclose(sides - before, expected, rtol=0.02, atol=1e-4)
    # To first order the samples' spread is what `propagate` says.
    interval = propagate(base.medial[:, :1], {name: law[name][:, :1]}, small)
    assert interval.sd.shape == (len(problem.time), 1)


def test_a_source_that_recruitment_never_meets_is_refused() -> None:
    from kneestride.loads.recruitment import RecruitmentSettings
    from kneestride.loads.sensitivities import Source

    problem = lunge().problem
    with pytest.raises(SettingsError, match="marker_noise"):
        sample_stride(
            problem,
            RecruitmentSettings(),
            np.zeros((len(problem.time), 2)),
            LEG,
            [Source("marker_noise", 1.0, "1", "measurement")],
        )
