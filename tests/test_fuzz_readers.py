"""Readers read an input, or say what is wrong with it: 500 broken ones of each format.

Ten thousand of each: `scripts/fuzz_readers.py`, table in docs/robustness.md. What broke a
reader once lies in tests/fuzz_corpus/ and is replayed here.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.capture.keypoints import read_keypoints
from kneestride.capture.trc import read_trc, write_trc
from kneestride.capture.trial import Markers
from kneestride.errors import KneestrideError, ModelError, ResultsError
from kneestride.parsing import array_of, arrays_of, json_of, toml_of
from kneestride.results.tables import format_table, read_table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from fuzzing import campaign, mutators, readers  # noqa: E402
from fuzzing.seeds import SEEDS, Seed, scene_arrays  # noqa: E402

CORPUS = sorted(p for p in (ROOT / "tests" / "fuzz_corpus").glob("*/*") if p.is_file())
INPUTS, SEED = 500, 8
FINE = ("accepted", "refused")


@pytest.mark.parametrize("name", [n for n in SEEDS if n not in readers.NATIVE])
def test_broken_inputs_are_read_or_refused(name: str, tmp_path: Path) -> None:
    seeds = SEEDS[name]()
    seen = set()
    for number in range(INPUTS):
        broken, part = campaign.make_input(name, SEED, number, seeds)
        place = tmp_path / str(number)
        found = campaign.judge(name, campaign.lay_out(broken, place))
        assert found.kind in FINE, (number, part, found)
        seen.add(found.kind)
        campaign.clear(place)
    # Neither a reader that refuses everything nor mutators that change nothing.
    assert seen == set(FINE)
    assert not (Path.cwd() / "UNPICKLED").exists()


@pytest.mark.parametrize("name", readers.NATIVE)
def test_broken_inputs_of_compiled_readers(name: str, tmp_path: Path) -> None:
    score = campaign.campaign(name, SEED, 0, INPUTS, tmp_path)
    assert score.defects == {}
    assert score.inputs == INPUTS
    assert min(score.kinds[kind] for kind in FINE) > 20


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_what_broke_a_reader_once(path: Path, tmp_path: Path) -> None:
    name = path.parent.name
    seed = SEEDS[name]()[0]
    file = path.name.split("-", 1)[1]
    part = next((p for p in seed.parts if Path(p).name == file), None)
    broken = Seed({file: path.read_bytes()}, file, (file,))
    if part is not None:
        broken = Seed({**seed.files, part: path.read_bytes()}, seed.main, (part,))
    place = campaign.lay_out(broken, tmp_path / "input")
    judged = campaign.alone if name in readers.NATIVE else _here
    assert judged(name, place, tmp_path).kind in FINE


def _here(name: str, path: Path, _: Path) -> campaign.Verdict:
    return campaign.judge(name, path)


# --- whatever there may be in a file ---------------------------------------------------------

TEXTS = {"trc": ".trc", "mot": ".mot", "keypoints-csv": ".csv", "marker-set": ".toml",
         "obj": ".obj", "storyboard": ".toml", "vtp": ".vtp"}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400), kind=st.sampled_from(sorted(TEXTS)))
def test_any_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"any{TEXTS[kind]}"
        path.write_bytes(data)
        assert campaign.judge(kind, path).kind in FINE


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_KEYS = st.sampled_from(
    ["frames", "people", "keypoints", "pose_keypoints_3d", "rate", "x", "y"]
)
_TREES = st.recursive(
    _LEAVES, lambda s: st.lists(s, max_size=5) | st.dictionaries(_KEYS, s, max_size=4)
)


@settings(max_examples=150, deadline=None)
@given(tree=_TREES)
def test_any_json_is_read_or_refused(tree: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.json"
        path.write_text(json.dumps(tree))
        try:
            read_keypoints(path, 50.0)
        except KneestrideError as error:
            assert str(error).isprintable()


_NUMBERS = st.floats(-5.0, 5.0).filter(lambda v: v == 0 or abs(v) > 1e-6)
_WORDS = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(_WORDS, min_size=1, max_size=4, unique=True),
    values=st.lists(_NUMBERS, min_size=36, max_size=36),
)
def test_any_markers_come_back_from_a_file(names: list[str], values: list[float]) -> None:
    """Written and read again, to the nine digits that are written."""
    positions = np.resize(np.array(values) + 7.0, (3, len(names), 3))
    markers = Markers(tuple(names), 1.5 + np.arange(3) / 100.0, 100.0, positions)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.trc"
        write_trc(path, markers)
        found = read_trc(path).markers
    # A trajectory that is the copy of another under another name is kept.
    assert found.names == markers.names
    np.testing.assert_allclose(found.positions, positions, rtol=1e-8)
    np.testing.assert_array_equal(found.time, markers.time)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(allow_infinity=False), min_size=6, max_size=6))
def test_any_figures_come_back_from_a_table(values: list[float]) -> None:
    figures = np.array(values).reshape(3, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.sto"
        path.write_text(format_table("any", ("a", "b"), np.arange(3.0), figures))
        found = read_table(path).values
    # Nine digits; figures too small for a full mantissa keep fewer.
    np.testing.assert_allclose(found, figures, rtol=1e-8, atol=5e-324)


# --- nothing is executed, unpickled or followed ----------------------------------------------


def test_no_source_file_unpickles_or_executes_a_file() -> None:
    """Pickle passes between processes of ours only; XML is read by the checked parser."""
    folders = [ROOT / "opensim_plugin", ROOT / "blender_addon"]
    banned = re.compile(
        r"allow_pickle\s*=\s*True|joblib|\bmarshal\b|\bshelve\b|\bdill\b|yaml|\beval\(|[^.\w]exec\(|"
        r"os\.system|shell\s*=\s*True|ET\.parse|ElementTree\.parse|minidom|lxml|extractall"
    )
    pickled = []
    for path in (p for folder in folders for p in folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert banned.search(text) is None, (path.name, banned.search(text))
        for call in re.findall(r"np\.load\((?:[^()]|\([^()]*\))*\)", text):
            # numpy's own default is False; nobody may turn it on.
            assert "allow_pickle=True" not in call
        if re.search(r"\bpickle\.loads?\(", text):
            pickled.append(path.name)
    assert pickled == ["companion.py"]


def test_a_pickle_among_arrays_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = {**scene_arrays(), "runner0.time": np.array([mutators.Evil()], dtype=object)}
    path = tmp_path / "scene.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="objects"):
        arrays_of(path)
    with pytest.raises(readers.addon("scene_file").SceneError):
        readers.addon("scene_file").read_scene(path)
    assert not (tmp_path / "UNPICKLED").exists()


def test_sizes_in_a_header_are_not_believed(tmp_path: Path) -> None:
    told = np.lib.format.magic(1, 0)
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }"
    data = told + (len(header) + 1).to_bytes(2, "little") + header + b"\n" + bytes(80)
    with pytest.raises(ValueError, match="shorter"):
        array_of(data)
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, x=np.zeros(3_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match="unpacks"):
        arrays_of(path, most=1_000_000)


@pytest.mark.parametrize("parse", [json_of, toml_of])
def test_depth_and_digits_are_one_kind_of_error(parse: Any) -> None:
    for value in ("[" * 100_000, "1" * 10_000, "[" * 900 + "]" * 900):
        text = value if parse is json_of else f"a = {value}"
        try:
            parse(text)
        except ValueError as error:
            assert str(error)


def _model(tmp_path: Path, change: Any) -> Path:
    [seed, *_] = SEEDS["osim"]()
    path = tmp_path / "mine.osim"
    path.write_text(change(seed.files["mine.osim"].decode()), encoding="utf-8")
    return path


BOMB = mutators.BOMB.decode().removeprefix('<?xml version="1.0"?>')


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.replace("?>", "?>" + BOMB, 1), "entities"),
        (lambda t: re.sub(r"\?>", '?><!DOCTYPE x SYSTEM "file:///etc/passwd">', t, count=1),
         "document type"),
        (lambda t: t.replace("<BodySet", '<BodySet file="/etc/passwd"', 1), "another file"),
        (lambda t: t.replace("<BodySet", "<controls_file>../x.xml</controls_file><BodySet", 1),
         "names '../x.xml'"),
        (lambda t: t.replace("<BodySet", "<a>" * 500 + "</a>" * 500 + "<BodySet", 1),
         "too deeply"),
        (lambda t: t[: len(t) // 2], "no complete XML"),
        (lambda t: "<html></html>", "begins with 'html'"),
    ],
)  # fmt: skip
def test_a_model_that_refers_elsewhere_is_refused(
    change: Any, words: str, tmp_path: Path
) -> None:
    from kneestride.model.strangers import load_strangers_model

    with pytest.raises(ModelError) as told:
        load_strangers_model(_model(tmp_path, change))
    assert words in str(told.value)


def test_meshes_of_a_model_are_names_and_not_places(tmp_path: Path) -> None:
    """A mesh path that leads to a pipe would stop whoever opens it."""
    from kneestride.model.lines import attached_meshes
    from kneestride.model.strangers import load_strangers_model

    pipe = tmp_path / "elsewhere" / "femur_r.vtp"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    path = _model(tmp_path, lambda t: t.replace("femur_r.vtp", str(pipe)))
    model = load_strangers_model(path)
    model.initSystem()
    assert [m.file for m in attached_meshes(model)] == ["femur_r.vtp", "tibia_r.vtp"]


def test_links_that_leave_a_folder_are_not_followed(tmp_path: Path) -> None:
    from kneestride.results.folder import read_results
    from kneestride.results.geometry import with_geometry
    from kneestride.results.held import held_folders

    secret = tmp_path / "secret"
    secret.mkdir()
    [scene] = SEEDS["scene"]()
    [results] = SEEDS["results"]()
    campaign.lay_out(scene, tmp_path / "a")
    bone = tmp_path / "a" / "bones" / "femur.vtp"
    with_geometry(tmp_path / "a" / "scene.npz", bone.parent)
    bone.rename(secret / "femur.vtp")
    bone.symlink_to(secret / "femur.vtp")
    with pytest.raises(ResultsError, match="mesh files"):
        with_geometry(tmp_path / "a" / "scene.npz", bone.parent)

    folder = campaign.lay_out(results, tmp_path / "b")
    read_results(folder)
    for name in ("ik.mot", "strides.csv", "model.osim", "summary.json"):
        kept = (folder / name).rename(secret / name)
        (folder / name).symlink_to(kept)
        with pytest.raises(ResultsError, match="leads out"):
            read_results(folder)
        (folder / name).unlink()
        kept.rename(folder / name)

    told = {"kind": "comparison", "folders": ["../secret"]}
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "summary.json").write_text(json.dumps(told))
    with pytest.raises(ResultsError, match="another place"):
        held_folders(tmp_path / "c")

    frames = SEEDS["keypoints-json"]()[-1]
    clip = campaign.lay_out(frames, tmp_path / "d")
    first = min(clip.iterdir())
    kept = first.rename(secret / first.name)
    first.symlink_to(kept)
    with pytest.raises(KneestrideError, match="leads out"):
        read_keypoints(clip, 50.0)


def test_a_message_is_one_printable_line_of_bounded_length() -> None:
    told = str(KneestrideError("a\nb\x1b[2J", "‮" + "x" * 50_000, "y\x00", ["\r", "z" * 9000]))
    assert told.isprintable()
    assert len(told) < 8000
