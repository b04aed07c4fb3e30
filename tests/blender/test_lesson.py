"""The lesson film, the patient's picture and the lines on the leg, in Blender."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.lesson_film import film
from kneestride.motion import limb_geometry
from scene_samples import synthetic_runner

pytestmark = pytest.mark.bpy
ROW = {"projection_angle_mid_deg": -3.92, "medial_peak_BW": 4.83, "lateral_peak_BW": 2.17,
       "adduction_moment_peak_Nm": 75.7, "step_width_mm": 36.4, "mid_s": 1.0,
       "projection_angle_change_deg": -1.7}  # fmt: skip
ROWS = {
    "neutral": ROW,
    "valgus": {**ROW, "projection_angle_mid_deg": 2.31, "adduction_moment_peak_Nm": 44.4,
               "medial_peak_BW": 4.51, "projection_angle_change_deg": 2.4},
    "crossover": {**ROW, "step_width_mm": -4.7, "adduction_moment_peak_Nm": 98.7},
}  # fmt: skip
TINY = {"size": (64, 36), "samples": 1, "quality": "preview"}


def _write(path, names):
    from kneestride.results.scene import write_scene

    runners = []
    for name in names:
        made = synthetic_runner(name, 120)
        (stride,) = made.strides
        rows = ({**stride, **ROWS[name]},)
        runners.append(dataclasses.replace(made, label=name, strides=rows, simulated=True))
    return write_scene(path, runners, model_name="kneestride_runner")


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strides")
    return _write(folder / "scene.npz", ROWS)


@pytest.fixture
def open_stage(blank, three):
    from blender_addon import stage

    def made(**choice):
        return stage.open_scene(three, blank, stage.Choice(**choice))

    return made


def _written(scene):
    return [t.data.body for t in scene.objects if t.type == "FONT"]


# --- lines ----------------------------------------------------------------------------------


def test_the_lines_bend_by_the_results_projection_angle(open_stage):
    from blender_addon import alignment_lines

    stage = open_stage(camera="frontal")
    model = synthetic_runner("neutral", 120)
    for side in ("r", "l"):
        centres = {
            f"{name}_{side}": model.position[:, model.bodies.index(f"{body}_{side}")]
            for name, body in (
                ("hip_center", "femur"), ("knee_center", "tibia"), ("ankle_center", "talus")
            )
        }  # fmt: skip
        paths = SimpleNamespace(points=centres, time=model.time)
        normal = np.tile([1.0, 0, 0], (len(model.time), 1))
        wanted = limb_geometry.frontal_plane_projection_angle(paths, side, normal)
        clip = SimpleNamespace(
            position=stage.data.runners[0].position, quaternion=stage.data.runners[0].quaternion
        )
        found = alignment_lines.points(stage.data, clip, stage.data.runners[0], side)
        medial = -1.0 if side == "r" else 1.0
        leans = [
            np.arctan2(medial * v[:, 2], -v[:, 1])
            for v in (found["knee"] - found["hip"], found["ankle"] - found["knee"])
        ]
        np.testing.assert_allclose(leans[0] - leans[1], wanted, atol=np.radians(0.01))


@pytest.mark.parametrize("camera", ["frontal", "legs"])
def test_a_line_stands_before_the_leg_and_at_its_place_in_the_picture(
    open_stage, blank, camera
):
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    from blender_addon import alignment_lines

    stage = open_stage(camera=camera)
    blank.frame_set(20)
    for root, clip, runner in zip(stage.roots, stage.clips, stage.data.runners, strict=True):
        where = alignment_lines.points(stage.data, clip, runner, "r")
        things = {t["kneestride_line"]: t for t in alignment_lines.objects_of(root)}
        pose = np.array(root.matrix_world)
        for name in alignment_lines.DOTS:
            dot = things[f"dot_{name}_r"]
            assert not dot.hide_render and things[f"dot_{name}_l"].hide_render
            true = Vector(pose[:3, :3] @ where[name][19] + pose[:3, 3])
            seen = world_to_camera_view(blank, blank.camera, dot.matrix_world.translation)
            real = world_to_camera_view(blank, blank.camera, true)
            np.testing.assert_allclose(seen[:2], real[:2], atol=1e-4)
            assert 0.1 < seen[2] < real[2] - 1.0


def test_lines_are_shown_from_the_front_only_and_when_wanted(open_stage, blank):
    from blender_addon import alignment_lines, stage

    loaded = open_stage(camera="frontal")

    def shown():
        things = [t for r in loaded.roots for t in alignment_lines.objects_of(r)]
        return sum(not t.hide_render for t in things)

    assert shown() == 3 * (len(alignment_lines.LINES) + len(alignment_lines.DOTS))
    for change in ({"camera": "sagittal"}, {"show_lines": False}):
        stage.apply(loaded, stage.Choice(**{"camera": "frontal", **change}), blank)
        assert shown() == 0


# --- pages ----------------------------------------------------------------------------------


def test_every_number_of_the_lesson_is_the_results_number(open_stage, blank):
    from blender_addon import lesson, storyboard

    stage = open_stage()
    filmed = lesson.prepare(stage.data, storyboard.read(), "en", 6)
    assert [s.name for s in filmed.plan.shots] == [
        "neutral", "knee in", "side by side", "what is estimated",
    ]  # fmt: skip
    lesson.set_up(blank, stage, filmed, 1)
    said = " ".join(" ".join(_written(blank)).split())
    change = ROWS["valgus"]["projection_angle_change_deg"]
    assert f"{change:.1f}° further in" in said
    assert f"falls from {ROW['adduction_moment_peak_Nm']:.0f} to 44 N m" in said
    assert "knee 3.9° out" in said and "knee 2.3° in" in said
    lesson.set_up(blank, stage, filmed, 2)
    said = " ".join(" ".join(_written(blank)).split())
    assert "inner 4.8, outer 2.2 BW" in said and "inner 4.5, outer 2.2 BW" in said
    assert "99 N m in" in said and "44 N m in" in said


def test_a_patients_picture_has_one_sentence_two_names_and_the_provenance(open_stage, blank):
    open_stage(look="patient", language="en")
    said = _written(blank)
    # Sentence, provenance, two names, and the sides of both knees.
    assert len(said) == 8 and "Neutral" in said and "Knee in" in said
    assert said.count("inner") == said.count("outer") == 2
    (sentence,) = [s for s in said if "body weight" in s and not s.startswith("Modelled")]
    # 4.83 and 4.51 as they are written: 4.8 and 4.5.
    assert "inner side of the right knee carries 0.3 times body weight less" in sentence
    assert "4.5 instead of 4.8" in sentence
    assert any(s.startswith("Modelled estimate, not a measurement") for s in said)


def test_a_single_patient_sees_both_knees_and_afterwards_everyone_again(open_stage, blank, bpy):
    from blender_addon import skeleton
    from blender_addon import stage as stage_module

    loaded = open_stage()
    (row,) = loaded.data.runners[0].strides
    both = ({**row, "side": "r"}, {**row, "side": "l", "medial_peak_BW": 3.0})
    one = dataclasses.replace(loaded.data.runners[0], strides=both)
    loaded.whole = dataclasses.replace(loaded.data, runners=(one, *loaded.data.runners[1:]))
    alone = dataclasses.replace(loaded.choice, look="patient", runners=("neutral",))
    stage_module.apply(loaded, alone, blank)
    assert [r.leg for r in loaded.data.runners] == ["r", "l"] and len(loaded.roots) == 2
    for root, leg in zip(loaded.roots, "rl", strict=True):
        seen = {n for n, t in skeleton.meshes_of(root).items() if not t.hide_render}
        assert f"femur_{leg}" in seen and not any(
            n.endswith("rl".replace(leg, "")) for n in seen
        )
    said = _written(blank)
    assert "Right knee" in said and "Left knee" in said
    assert any("4.8 times body weight in the right knee and 3.0 in the left" in s for s in said)
    stage_module.apply(loaded, dataclasses.replace(alone, look="clinic", runners=()), blank)
    assert [r.name for r in loaded.data.runners] == ["neutral", "valgus", "crossover"]
    assert len(loaded.roots) == 3


def test_a_picture_in_german_has_no_english_in_it(open_stage, blank):
    from blender_addon import texts

    open_stage(language="de", camera="frontal")
    said = _written(blank)
    english = {v for k, v in texts.table()["en"].items() if v != texts.table()["de"].get(k)}
    assert not english & set(said)
    assert any(s.startswith("Modellschätzung, keine Messung: Modell") for s in said)
    assert "Knie nach innen" in said and "Innenseite, Kraft" in said
    assert not any("runner1" in s or "original" in s for s in said)


@pytest.mark.parametrize("size", [(320, 180), (240, 240)])
@pytest.mark.parametrize("camera", ["frontal", "legs", "posterior", "sagittal", "orbit"])
def test_no_bone_comes_to_lie_below_the_title_or_on_the_curves(open_stage, blank, size, camera):
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    from blender_addon import layout, skeleton

    blank.render.resolution_x, blank.render.resolution_y = size
    stage = open_stage(camera=camera)
    aspect = size[1] / size[0]
    blank.frame_set(int(blank.frame_end * 0.15) if camera != "orbit" else 1)
    low, high = np.inf, -np.inf
    for root in stage.roots:
        for thing in skeleton.meshes_of(root).values():
            if thing.hide_render:
                continue
            for corner in thing.bound_box:
                at = world_to_camera_view(
                    blank, blank.camera, thing.matrix_world @ Vector(corner)
                )
                y = (at[1] - 0.5) * aspect
                low, high = min(low, y), max(high, y)
    assert high < aspect / 2 - layout.title(aspect)
    assert low > -aspect / 2 + layout.panel(aspect)


# --- films ----------------------------------------------------------------------------------

BOARD = """version = 1
[[shot]]
name = "one"
runners = ["neutral"]
seconds = 0.5
overlays = ["lines"]
caption = ["neutral_stands"]
[[shot]]
name = "two"
runners = ["neutral", "valgus"]
camera = "three_knees"
seconds = 0.5
text = { en = "Hello", de = "Hallo" }
"""


def test_a_killed_film_goes_on_where_it_stopped_and_another_one_begins_anew(
    bpy, three, tmp_path
):
    board, out = tmp_path / "board.toml", tmp_path / "film.mp4"
    board.write_text(BOARD, encoding="utf-8")

    class EnoughError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert total == 6
        if done == 4:
            raise EnoughError

    pictures = tmp_path / "film.mp4.frames"

    def kept():
        return {p.name: p.stat().st_mtime_ns for p in pictures.glob("[0-9]*[0-9].png")}

    with pytest.raises(EnoughError):
        film(three, out, storyboard=board, progress=stop, **TINY)
    first = kept()
    assert not out.exists() and len(first) >= 4

    def look(done: int, total: int) -> None:
        if done == 5:
            assert first.items() <= kept().items(), "a finished picture was made again"
            raise EnoughError

    with pytest.raises(EnoughError):
        film(three, out, storyboard=board, progress=look, **TINY)
    board.write_text(BOARD.replace("Hello", "Good day"), encoding="utf-8")
    _, notes = film(three, out, storyboard=board, **TINY)
    assert out.read_bytes()[4:8] == b"ftyp" and not pictures.exists() and notes == ()


def test_a_folder_of_two_variants_drops_shots_and_says_so(bpy, tmp_path):
    _write(tmp_path / "scene.npz", ["neutral", "crossover"])

    class EnoughError(Exception):
        pass

    totals = []

    def stop(done: int, total: int) -> None:
        totals.append(total)
        raise EnoughError

    with pytest.raises(EnoughError):
        film(tmp_path, tmp_path / "lesson.mp4", progress=stop, **TINY)
    from blender_addon import lesson, scene_file, storyboard

    data = scene_file.read_scene(tmp_path)
    filmed = lesson.prepare(data, storyboard.read(), "en", 6)
    names = [s.name for s in filmed.plan.shots]
    assert "knee in" not in names and "side by side" in names
    told = lesson.notes(data, filmed)
    assert totals == [filmed.total] and any("'valgus'" in n for n in told)


def test_a_storyboards_mistake_is_one_message(bpy, three, tmp_path):
    board, out = tmp_path / "board.toml", tmp_path / "film.mp4"
    board.write_text(BOARD.replace("three_knees", "moon"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        film(three, out, storyboard=board, **TINY)
    said = str(caught.value)
    assert said.startswith("Expected a known 'camera' in shot 2 ('two'). Found 'moon'. Avail")
    assert not out.exists() and not (tmp_path / "film.mp4.frames").exists()
    board.write_text(BOARD.replace('"valgus"', '"nobody"'), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"'nobody'\. Available: neutral, valgus"):
        film(three, out, storyboard=board, **TINY)


@pytest.mark.parametrize(
    "wrong", [{"quality": "best"}, {"language": "fr"}, {"out": "film.avi"}, {"storyboard": "x"}]
)
def test_an_unknown_choice_is_refused(three, tmp_path, wrong):
    options = {"out": "film.mp4", **wrong}
    out = tmp_path / options.pop("out")
    if "storyboard" in options:
        options["storyboard"] = tmp_path / options["storyboard"]
    with pytest.raises(SettingsError):
        film(three, out, **options)


def test_the_scene_is_what_it_was_after_a_film(open_stage, blank, tmp_path):
    from blender_addon import lesson, storyboard

    stage = open_stage(camera="sagittal", language="de")
    blank.render.engine = "BLENDER_WORKBENCH"
    before = (stage.choice, _written(blank), blank.render.resolution_x, blank.render.fps)
    work = lesson.shoot(
        blank, stage, storyboard.read(), tmp_path / "film.mp4", "en",
        {**lesson.QUALITIES["preview"], "size": (64, 36), "samples": 1},
    )  # fmt: skip
    assert next(work)[0] == 1
    work.close()
    after = (stage.choice, _written(blank), blank.render.resolution_x, blank.render.fps)
    assert after == before and blank.render.engine == "BLENDER_WORKBENCH"


def test_the_button_makes_the_film_and_says_what_is_wrong_with_a_storyboard(
    bpy, blank, three, tmp_path
):
    import blender_addon
    from blender_addon import lesson

    quality = dict(lesson.QUALITIES["preview"])
    blender_addon.register()
    try:
        lesson.QUALITIES["preview"] |= {"size": (64, 36), "samples": 1, "fps": 2}
        assert bpy.ops.kneestride.load(filepath=str(three)) == {"FINISHED"}
        settings = blank.kneestride
        settings.film = str(tmp_path / "film.mp4")
        board = tmp_path / "board.toml"
        board.write_text(BOARD, encoding="utf-8")
        settings.storyboard = str(board)
        assert bpy.ops.kneestride.lesson() == {"FINISHED"}
        assert (tmp_path / "film-lesson.mp4").read_bytes()[4:8] == b"ftyp"
        board.write_text(BOARD.replace("three_knees", "moon"), encoding="utf-8")
        with pytest.raises(RuntimeError, match=r"Shot 2 \('two'\): expected a known 'camera'"):
            bpy.ops.kneestride.lesson()
    finally:
        lesson.QUALITIES["preview"].update(quality)
        blender_addon.unregister()
