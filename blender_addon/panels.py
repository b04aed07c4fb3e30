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

        def choose(name):
            # A name above its field and not beside it: half a sidebar cuts both off.
            layout.label(text=say(name) + ":")
            layout.prop(settings, name, text="")

        layout.operator("kneestride.load", text=say("load"), icon="FILE_FOLDER")
        layout.operator("kneestride.example", text=say("example"), icon="ARMATURE_DATA")
        layout.prop(settings, "language", text="")
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
        layout = self.layout.column(align=True)
        for name in ("display", "camera", "side", "timing", "look", "muscles"):
            choose(name)
        layout.prop(settings, "speed", text=say("speed"))
        for name in ("difference", "show_lines", "transparent"):
            layout.prop(settings, name, text=say(name))
        layout = self.layout.column()
        layout.operator("screen.animation_play", text=say("preview"), icon="PLAY")
        layout.prop(settings, "film", text="")
        layout.operator("kneestride.picture", text=say("picture"), icon="RENDER_STILL")
        layout.operator("kneestride.film", text=say("render"), icon="RENDER_ANIMATION")
        layout.operator("kneestride.lesson", text=say("lesson"), icon="CAMERA_DATA")
        for name in ("quality", "storyboard"):
            choose(name)
        layout.operator("kneestride.export", text=say("export"), icon="EXPORT")
        for line in say("schematic").split("\n"):
            layout.label(text=line)


classes = (KNEESTRIDE_PT_main,)
