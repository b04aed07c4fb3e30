"""Kneestride in Blender: the runner's skeleton, coloured by the knee's loads.

The add-on reads one file, `scene.npz`, which `kneestride analyse`, `simulate` and
`compare` write, and needs numpy and Blender only. `stage` is the way in, for the panel as
for the command line; `scene_file`, `colour_scale`, `framing` and `timing` know no Blender.
"""


def register():
    """Make the panel and its operators known to Blender."""
    import bpy

    from . import operators, panels, properties

    for kind in (*properties.classes, *operators.classes, *panels.classes):
        bpy.utils.register_class(kind)
    bpy.types.Scene.kneestride = bpy.props.PointerProperty(type=properties.KneestrideSettings)


def unregister():
    """Take everything back."""
    import bpy

    from . import operators, panels, properties

    del bpy.types.Scene.kneestride
    for kind in reversed((*properties.classes, *operators.classes, *panels.classes)):
        bpy.utils.unregister_class(kind)
    properties.forget()
