"""Long arrays lie on the disk and are used like any other."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from kneestride import scratch
from kneestride.vocabulary import Array

FRAMES = scratch.LONG + 1


@dataclass(frozen=True)
class Held:
    name: str
    whole: Array
    parts: dict[str, Array]
    pair: tuple[Array, Array]


def held() -> Held:
    whole = np.random.default_rng(1).normal(size=(FRAMES, 40))
    return Held("held", whole, {"again": whole, "few": np.arange(5.0)}, (whole[:, 3], whole))


def test_what_is_kept_is_the_same_and_lies_on_the_disk() -> None:
    before = held()
    after = scratch.kept(before)
    np.testing.assert_array_equal(after.whole, before.whole)
    np.testing.assert_array_equal(after.pair[0], before.pair[0])
    assert after.name == "held"
    assert scratch.on_disk(after.whole) and not scratch.on_disk(before.whole)
    # One array in three places stays one, and what is short stays where it is.
    assert after.parts["again"] is after.whole is after.pair[1]
    assert after.parts["few"] is before.parts["few"]


def test_what_lies_on_the_disk_is_not_moved_again() -> None:
    once = scratch.kept(held())
    assert scratch.kept(once).whole is once.whole
    assert scratch.kept(once.whole[:, 2]).base is not None
    assert scratch.on_disk(once.whole[:, 2])


def test_short_arrays_stay_in_memory() -> None:
    short = np.zeros((scratch.LONG, 40))
    assert scratch.kept(short) is short
    assert not scratch.on_disk(scratch.room((scratch.LONG, 40)))


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_released_pages_leave_memory_and_come_back() -> None:
    def resident() -> int:
        words = Path("/proc/self/statm").read_text().split()
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    space = scratch.room((FRAMES, 200))
    space[:] = np.arange(200.0)
    scratch.release()
    assert resident() < before + 0.1 * space.nbytes
    assert space.sum() == FRAMES * np.arange(200.0).sum()


def test_no_file_is_left_and_a_full_disk_means_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    space = scratch.room((FRAMES, 40))
    assert scratch.on_disk(space)
    if os.name == "posix":
        assert not list(tmp_path.iterdir())

    def full(file: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch, "_reserve", full)
    assert not scratch.on_disk(scratch.room((FRAMES, 40)))


def test_columns_and_rows_are_those_of_numpy() -> None:
    values = np.random.default_rng(2).normal(size=(FRAMES, 9))
    values[:, 4] = np.nan
    for rows in (FRAMES, 100):
        parts = [values[:rows, :5], values[:rows, 6], values[:rows, 7:]]
        np.testing.assert_array_equal(scratch.stacked(parts), np.column_stack(parts))
        wanted = values[:rows, 0] > 0.0
        np.testing.assert_array_equal(
            scratch.rows_of(values[:rows], wanted), values[:rows][wanted]
        )
