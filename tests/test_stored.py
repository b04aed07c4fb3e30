"""What is kept from run to run comes back to the last bit, or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from kneestride.model.drawn import Line
from kneestride.model.multibody import Multibody
from kneestride.model.stored import PACKAGE, Shelf, code_of, key_of
from toy_standing import toy


def shelf(folder: Path | None, *classes: type, kept: int = 5) -> Shelf:
    return Shelf(folder, classes, kept)


def line(points: np.ndarray) -> Line:
    return Line("a", "muscle", 0.1 + 0.2, ("pelvis", "femur_r"), points, points[..., 0] > 0)


@pytest.mark.parametrize("moving", [True, False])
def test_every_bit_comes_back(tmp_path: Path, moving: bool) -> None:
    points = np.random.default_rng(0).normal(size=(7, 2, 3))
    if not moving:
        points[:] = points[0]
    points[3, 1] = np.nan if moving else points[3, 1]
    store = shelf(tmp_path, Line)
    store.save("k", (line(points), {"x": None, "y": [1, 2.5, True]}, np.nan, np.int64(3)))
    found, mapping, nan, three = store.load("k")
    assert np.array_equal(found.points, points, equal_nan=True)
    assert found.on.dtype == bool and np.array_equal(found.on, points[..., 0] > 0)
    assert found.strength == 0.1 + 0.2 and found.bodies == ("pelvis", "femur_r")
    assert mapping == {"x": None, "y": (1, 2.5, True)} and np.isnan(nan) and three == 3
    found.points[:] = 0.0  # an array of one's own


def test_a_model_comes_back_and_moves_alike(tmp_path: Path) -> None:
    from kneestride.model.kernels import Tree

    body = toy().multibody
    store = shelf(tmp_path, Multibody, Tree)
    store.save("k", body)
    again = store.load("k")
    q = np.random.default_rng(1).normal(size=(5, len(body.coordinates)))
    for ours, theirs in zip(again.poses(q), body.poses(q), strict=True):
        assert np.array_equal(ours, theirs)
    assert again.coordinates == body.coordinates


def test_what_is_damaged_or_foreign_counts_as_none(tmp_path: Path) -> None:
    store = shelf(tmp_path, Line)
    assert store.load("k") is None
    store.save("k", line(np.ones((2, 2, 3))))
    file = tmp_path / "k.bin"
    whole = file.read_bytes()
    assert shelf(tmp_path).load("k") is None  # a class it does not know
    for broken in (b"", whole[:50], whole[:-1], whole[:-1] + b"\x7f", b"x" + whole[1:]):
        file.write_bytes(broken)
        assert store.load("k") is None


def test_only_the_last_used_stay_and_no_folder_keeps_nothing(tmp_path: Path) -> None:
    import os

    store = shelf(tmp_path, kept=2)
    for age, key in enumerate("abc"):
        store.save(key, key)
        os.utime(tmp_path / f"{key}.bin", (age, age))
    store.save("d", "d")
    assert store.load("d") == "d" and store.load("a") is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.bin", "d.bin"]
    nothing = shelf(None)
    nothing.save("a", 1)
    assert nothing.load("a") is None
    # Nor does a folder that cannot be made stop an analysis.
    (tmp_path / "file").write_text("")
    shelf(tmp_path / "file").save("a", 1)


def test_a_name_tells_inputs_apart() -> None:
    x = np.arange(6.0)
    names = [
        key_of(x), key_of(x.reshape(2, 3)), key_of(x.astype(np.float32)), key_of(x + 1e-16),
        key_of((x, x)), key_of(x, x), key_of("a", "b"), key_of("ab"), key_of(b"ab"),
        key_of({"a": 1}),
        key_of(1), key_of(1.0), key_of(None),
        key_of(code_of("model")), key_of(code_of("capture")),
    ]  # fmt: skip
    assert len(set(names)) == len(names)
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


def test_a_second_run_needs_no_opensim_for_the_same_motion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kneestride.model.osim import text_of
    from kneestride.model.path_memory import (
        LaterGeometry,
        remembered_exact,
        remembered_geometry,
    )
    from kneestride.model.paths import PathGeometry

    monkeypatch.setenv("KNEESTRIDE_CACHE", str(tmp_path))
    xml = text_of(toy().model)
    first = remembered_geometry(xml, None)
    q = np.tile(first.multibody.default, (3, 1)) + np.array([[0.0], [0.01], [0.02]])
    exact = remembered_exact(first, "motion", q)
    second = remembered_geometry(xml, None)
    assert isinstance(second, LaterGeometry) and not isinstance(first, LaterGeometry)
    assert second.names == first.names and second.patella == first.patella
    # Other poses are still asked of OpenSim.
    assert np.array_equal(second.evaluate(q + 0.01).length, first.evaluate(q + 0.01).length)

    def refused(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(PathGeometry, "evaluate", refused)
    monkeypatch.setattr(LaterGeometry, "evaluate", refused)
    again = remembered_exact(second, "motion", q)
    assert np.array_equal(again.moment_arm, exact.moment_arm)
    with pytest.raises(AssertionError):
        remembered_exact(second, "another motion", q)


@pytest.mark.parametrize("value", ["", " "])
def test_the_cache_is_switched_off_by_a_variable_without_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A blank too: Windows cannot set a variable to nothing."""
    from kneestride.model import known, path_memory, path_store

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for name in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("KNEESTRIDE_CACHE", value)
    assert path_store.PathCache.of_user() is None
    for store in (known.shelf("people", (), 60), path_memory._shelf("exact", (), 20)):
        store.save("k", 1.0)
        assert store.load("k") is None
    assert not list(home.iterdir())


def test_the_page_on_privacy_names_everything_that_is_kept() -> None:
    """Folders of the cache and how many files stay in each, as the code has them."""
    from kneestride.model import path_memory, path_store

    kept = {"paths": str(path_store.KEPT)}
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for name, count in re.findall(r'shelf\("(\w+)", (?:\(.*?\)|\w+), (\w+)\)', text):
            kept[name] = str(path_memory.KEPT) if count == "KEPT" else count
    page = (Path(__file__).parents[1] / "docs" / "report.md").read_text(encoding="utf-8")
    told = page.partition("## What stays on the machine")[2]
    assert dict(re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|$", told, re.MULTILINE)) == kept
    assert "KNEESTRIDE_CACHE" in told
