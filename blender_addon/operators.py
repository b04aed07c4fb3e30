"""What the panel's buttons do."""

from pathlib import Path

import bpy

from . import export, lesson, properties, render, scene_file, stage, storyboard


def _fail(operator, error):
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}


def _one_picture_a_turn(operator, context):
    """Call the operator's `modal` between Blender's own work, so that Escape is heard."""
    manager = context.window_manager
    manager.progress_begin(0, 100)
    operator.timer = manager.event_timer_add(0.01, window=context.window)
    manager.modal_handler_add(operator)
    return {"RUNNING_MODAL"}


class KNEESTRIDE_OT_load(bpy.types.Operator):  # noqa: N801
    """Open a results folder or its scene.npz"""

    bl_idname = "kneestride.load"
    bl_label = "Open results"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})

    def execute(self, context):
        """Load, or say in one sentence why not."""
        path = self.filepath or self.directory
        try:
            loaded = stage.open_scene(
                path, context.scene, properties.choice(context.scene.kneestride)
            )
        except scene_file.SceneError as error:
            return _fail(self, error)
        properties.remember(context.scene, loaded)
        count = sum(len(r.time) for r in loaded.data.runners)
        self.report({"INFO"}, f"{len(loaded.data.runners)} runner(s), {count} frames loaded.")
        return {"FINISHED"}

    def invoke(self, context, event):
        """Ask for the file, unless one was dropped."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class KNEESTRIDE_OT_example(bpy.types.Operator):  # noqa: N801
    """Load the example that comes with the add-on"""

    bl_idname = "kneestride.example"
    bl_label = "Load the example"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, _context):
        """Only where an example is bundled."""
        return example_path().is_file()

    def execute(self, _context):
        """Load it."""
        return bpy.ops.kneestride.load(filepath=str(example_path()))


class KNEESTRIDE_OT_picture(bpy.types.Operator):  # noqa: N801
    """Render the present frame to a picture beside the film"""

    bl_idname = "kneestride.picture"
    bl_label = "Render picture"

    @classmethod
    def poll(cls, context):
        """Only when something is loaded."""
        return properties.stage_of(context.scene) is not None

    def execute(self, context):
        """Render."""
        scene = context.scene
        target = Path(bpy.path.abspath(scene.kneestride.film)).with_suffix(".png")
        try:
            render.picture(scene, target, scene.frame_current)
        except (OSError, RuntimeError) as error:
            return _fail(self, f"The picture could not be written to {target}: {error}")
        self.report({"INFO"}, f"Written: {target}")
        return {"FINISHED"}


class KNEESTRIDE_OT_film(bpy.types.Operator):  # noqa: N801
    """Render the film; Escape stops it, and the next time it goes on from there"""

    bl_idname = "kneestride.film"
    bl_label = "Render film"

    @classmethod
    def poll(cls, context):
        """Only when something is loaded."""
        return properties.stage_of(context.scene) is not None

    def _start(self, context):
        self.target = Path(bpy.path.abspath(context.scene.kneestride.film))
        self.work = render.film_frames(context.scene, self.target)

    def execute(self, context):
        """Render without a window."""
        self._start(context)
        try:
            for _ in self.work:
                pass
            render.assemble(context.scene, self.target)
        except (OSError, RuntimeError) as error:
            return _fail(self, f"The film could not be written to {self.target}: {error}")
        return {"FINISHED"}

    def invoke(self, context, _event):
        """Render a picture a turn, so that Escape is heard."""
        self._start(context)
        return _one_picture_a_turn(self, context)

    def modal(self, context, event):
        """Go on, finish or stop."""
        if event.type == "ESC":
            return self._end(context, {"CANCELLED"})
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            _, done, total = next(self.work)
        except StopIteration:
            render.assemble(context.scene, self.target)
            return self._end(context, {"FINISHED"})
        except (OSError, RuntimeError) as error:
            self.report({"ERROR"}, f"The film could not be written to {self.target}: {error}")
            return self._end(context, {"CANCELLED"})
        context.window_manager.progress_update(100 * done / total)
        return {"RUNNING_MODAL"}

    def _end(self, context, result):
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self.timer)
        return result


class KNEESTRIDE_OT_lesson(bpy.types.Operator):  # noqa: N801
    """Film the lesson, or a storyboard of your own; Escape stops it, then it goes on there"""

    bl_idname = "kneestride.lesson"
    bl_label = "Lesson film"

    @classmethod
    def poll(cls, context):
        """Only when something is loaded."""
        return properties.stage_of(context.scene) is not None

    def _start(self, context):
        """Begin, or say in one message what is wrong with the storyboard."""
        scene, settings = context.scene, context.scene.kneestride
        film = Path(bpy.path.abspath(settings.film))
        self.target = film.with_name(f"{film.stem}-lesson.mp4")
        loaded = properties.stage_of(scene)
        own = bpy.path.abspath(settings.storyboard) if settings.storyboard else ""
        board = storyboard.read(own or storyboard.LESSON)
        quality = lesson.QUALITIES[settings.quality]
        self.work = lesson.shoot(scene, loaded, board, self.target, settings.language, quality)
        data = loaded.whole or loaded.data
        self.notes = lesson.notes(data, lesson.prepare(data, board))

    def _tell(self):
        for note in self.notes:
            self.report({"WARNING"}, note)
        self.report({"INFO"}, f"Written: {self.target}")
        return {"FINISHED"}

    def execute(self, context):
        """Film without a window."""
        try:
            self._start(context)
            for _ in self.work:
                pass
        except storyboard.StoryboardError as error:
            return _fail(self, error)
        except (OSError, RuntimeError) as error:
            return _fail(self, f"The film could not be written: {error}")
        return self._tell()

    def invoke(self, context, _event):
        """Render a picture a turn, so that Escape is heard."""
        try:
            self._start(context)
        except storyboard.StoryboardError as error:
            return _fail(self, error)
        return _one_picture_a_turn(self, context)

    def modal(self, context, event):
        """Go on, finish or stop."""
        if event.type == "ESC":
            return self._end(context, {"CANCELLED"})
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            done, total = next(self.work)
        except StopIteration:
            return self._end(context, self._tell())
        except (OSError, RuntimeError, ValueError) as error:
            return self._end(context, _fail(self, f"The film could not be written: {error}"))
        context.window_manager.progress_update(100 * done / total)
        return {"RUNNING_MODAL"}

    def _end(self, context, result):
        self.work.close()
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self.timer)
        return result


class KNEESTRIDE_OT_export(bpy.types.Operator):  # noqa: N801
    """Write the scene as GLB, USDC or .blend"""

    bl_idname = "kneestride.export"
    bl_label = "Export"
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context):
        """Only when something is loaded."""
        return properties.stage_of(context.scene) is not None

    def execute(self, context):
        """Write by the file's ending."""
        ending = Path(self.filepath).suffix.lower()
        if ending == ".glb":
            export.glb(context.scene, properties.stage_of(context.scene), self.filepath)
        elif ending == ".usdc":
            export.usdc(self.filepath)
        elif ending == ".blend":
            export.blend(self.filepath)
        else:
            return _fail(self, f"'{ending}' is not written; choose .glb, .usdc or .blend.")
        return {"FINISHED"}

    def invoke(self, context, _event):
        """Ask where to."""
        self.filepath = self.filepath or "kneestride.glb"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class KNEESTRIDE_FH_scene(bpy.types.FileHandler):  # noqa: N801
    """Drop a scene.npz onto the 3D view."""

    bl_idname = "KNEESTRIDE_FH_scene"
    bl_label = "Kneestride scene"
    bl_import_operator = "kneestride.load"
    bl_file_extensions = ".npz"

    @classmethod
    def poll_drop(cls, context):
        """Anywhere in the 3D view."""
        return context.area is not None and context.area.type == "VIEW_3D"


def example_path():
    """Where the bundled example lies, when there is one."""
    return Path(__file__).with_name("example.npz")


classes = (
    KNEESTRIDE_OT_load,
    KNEESTRIDE_OT_example,
    KNEESTRIDE_OT_picture,
    KNEESTRIDE_OT_film,
    KNEESTRIDE_OT_lesson,
    KNEESTRIDE_OT_export,
    KNEESTRIDE_FH_scene,
)
