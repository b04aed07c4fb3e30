"""The sidebar's panel "Kneestride"."""

import bpy

from . import properties, texts


class KNEESTRIDE_PT_main(bpy.types.Panel):  # noqa: N801
    """Open results, choose what to see, render."""

    bl_idname = "KNEESTRIDE_PT_main"
    bl_label = "Kneestride"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Kneestride"

    def draw(self, context):
        """Draw the panel."""
        settings = context.scene.kneestride
        loaded = properties.stage_of(context.scene)

        def say(key, **values):
            return texts.text(key, settings.language, **values)

        layout = self.layout
        layout.operator("kneestride.load", text=say("load"), icon="FILE_FOLDER")
        layout.operator("kneestride.example", text=say("example"), icon="ARMATURE_DATA")
        layout.prop(settings, "language", text=say("language"))
        if loaded is None:
            path = context.scene.get("kneestride_path")
            if path:
                again = layout.operator(
                    "kneestride.load", text=say("resume"), icon="FILE_REFRESH"
                )
                again.filepath = path
            else:
                layout.label(text=say("none"))
            return
        frames = sum(len(r.time) for r in loaded.data.runners)
        layout.label(text=say("loaded", count=len(loaded.data.runners), frames=frames))
        column = layout.column()
        for name in ("display", "camera", "side", "timing", "speed", "look"):
            column.prop(settings, name, text=say(name))
        column.prop(settings, "difference", text=say("difference"))
        column.prop(settings, "muscles", text=say("muscles"))
        column.prop(settings, "show_lines", text=say("show_lines"))
        column.prop(settings, "transparent")
        layout.operator("screen.animation_play", text=say("preview"), icon="PLAY")
        layout.prop(settings, "film")
        row = layout.row()
        row.operator("kneestride.picture", text=say("picture"), icon="RENDER_STILL")
        row.operator("kneestride.film", text=say("render"), icon="RENDER_ANIMATION")
        box = layout.column()
        box.operator("kneestride.lesson", text=say("lesson"), icon="CAMERA_DATA")
        box.prop(settings, "quality", text=say("lesson_quality"))
        box.prop(settings, "storyboard", text=say("storyboard"))
        layout.operator("kneestride.export", text=say("export"), icon="EXPORT")
        layout.label(text=say("schematic"))


classes = (KNEESTRIDE_PT_main,)
