"""What a person chooses in the panel; every change is shown at once."""

import bpy

from . import cameras, looks, stage, texts, tubes

_stages = {}
"""Loaded stages by scene; rebuilt from the file when Blender has been restarted."""
_items = {}
"""Blender does not keep dynamic menu texts alive; they are kept here."""


def stage_of(scene):
    """Return the stage of a scene, or None when nothing is loaded.

    Undo and opening another file change the scene behind a stage's back; the path that a
    load leaves on the scene tells.
    """
    found = _stages.get(scene.name_full)
    if found is None or scene.get("kneestride_path") != found.data.path:
        return None
    return found


def remember(scene, loaded):
    """Keep a loaded stage."""
    _stages[scene.name_full] = loaded


def forget():
    """Let everything go."""
    _stages.clear()
    _items.clear()


def _translated(names, language):
    return [(n, texts.text(n, language), "") for n in names]


def _menu(key, items):
    _items[key] = items
    return _items[key]


def _displays(settings, _context):
    loaded = stage_of(settings.id_data)
    if loaded is None or not loaded.data.displays:
        return _menu("display", [("none", "-", "")])
    return _menu(
        "display", [(d.name, f"{d.label} ({d.unit})", "") for d in loaded.data.displays]
    )


def _cameras(settings, _context):
    return _menu("camera", _translated(cameras.VIEWS, settings.language))


def _looks(settings, _context):
    return _menu("look", _translated(tuple(looks.LOOKS), settings.language))


def _timings(settings, _context):
    return _menu("timing", _translated(("aligned", "real"), settings.language))


def _sides(settings, _context):
    language = settings.language
    return _menu(
        "side",
        [("r", texts.text("right", language), ""), ("l", texts.text("left", language), "")],
    )


def _muscles(settings, _context):
    words = [(n, texts.text(f"muscles_{n}", settings.language), "") for n in tubes.SETS]
    return _menu("muscles", words)


def choice(settings):
    """Return the panel's settings as a Choice."""
    return stage.Choice(
        display="" if settings.display in ("", "none") else settings.display,
        camera=settings.camera,
        look=settings.look,
        timing=settings.timing,
        speed=settings.speed,
        side=settings.side,
        difference=settings.difference,
        language=settings.language,
        transparent=settings.transparent,
        show_lines=settings.show_lines,
        muscles=settings.muscles,
    )


def _changed(settings, _context):
    scene = settings.id_data
    loaded = stage_of(scene)
    if loaded is not None:
        stage.apply(loaded, choice(settings), scene)
        return
    loaded = stage.attach(scene, choice(settings))
    if loaded is not None:
        remember(scene, loaded)


class KneestrideSettings(bpy.types.PropertyGroup):
    """Choices of the panel."""

    display: bpy.props.EnumProperty(name="Load", items=_displays, update=_changed)
    camera: bpy.props.EnumProperty(name="Camera", items=_cameras, update=_changed)
    look: bpy.props.EnumProperty(name="Look", items=_looks, default=1, update=_changed)
    timing: bpy.props.EnumProperty(name="Time", items=_timings, update=_changed)
    side: bpy.props.EnumProperty(name="Leg", items=_sides, update=_changed)
    speed: bpy.props.FloatProperty(
        name="Speed", default=0.25, min=0.05, max=2.0, subtype="FACTOR", update=_changed
    )
    difference: bpy.props.BoolProperty(name="Difference", default=False, update=_changed)
    muscles: bpy.props.EnumProperty(name="Muscles", items=_muscles, update=_changed)
    transparent: bpy.props.BoolProperty(name="Transparent", default=False, update=_changed)
    language: bpy.props.EnumProperty(
        name="Language",
        items=[("en", "English", ""), ("de", "Deutsch", "")],
        update=_changed,
    )
    show_lines: bpy.props.BoolProperty(
        name="Lines in the frontal view", default=True, update=_changed
    )
    quality: bpy.props.EnumProperty(
        name="Quality",
        items=[("preview", "Preview", ""), ("final", "Final", "")],
        default="preview",
    )
    storyboard: bpy.props.StringProperty(
        name="Storyboard",
        description="Film of your own shots (.toml); empty: the lesson",
        subtype="FILE_PATH",
    )
    film: bpy.props.StringProperty(name="File", subtype="FILE_PATH", default="//kneestride.mp4")


classes = (KneestrideSettings,)
