"""The one material that turns loads into colour, without a handler or a driver.

    signal = sum over channels of  shown · weight(vertex) · load(object)
    colour = scale((signal - low) / (high - low))

`weight` is a static attribute of the mesh, `load` an animated custom property of the
object, `shown`, `low` and `high` custom properties of the scene. Because Blender itself
evaluates all of them, a saved file plays anywhere without this add-on, and switching the
channel is the change of a few numbers. Where data are shown the surface emits light
without shading, so that the picture's colour is the legend's.
"""

import bpy

from . import colour_scale

NAME = "Kneestride bone"
LOW, HIGH, DIVERGING = "kneestride_low", "kneestride_high", "kneestride_diverging"
NO_DATA = -1.0e9
"""Load of a frame without data; far below anything measured."""
BONE_SRGB = (0.90, 0.86, 0.76)


def shown_property(channel):
    """Return the scene property that switches a channel on (1) or off (0)."""
    return f"kneestride_show_{channel}"


class _Nodes:
    """Little helper that places and links nodes."""

    def __init__(self, tree):
        self.tree, self.count = tree, 0

    def new(self, kind):
        node = self.tree.nodes.new(kind)
        node.location = (200 * (self.count % 12), -180 * (self.count // 12))
        self.count += 1
        return node

    def attribute(self, name, source):
        node = self.new("ShaderNodeAttribute")
        node.attribute_type, node.attribute_name = source, name
        return node.outputs["Fac"]

    def math(self, operation, first, second=None):
        node = self.new("ShaderNodeMath")
        node.operation = operation
        for socket, value in zip(node.inputs, (first, second), strict=False):
            if value is None:
                continue
            if isinstance(value, (int, float)):
                socket.default_value = value
            else:
                self.tree.links.new(value, socket)
        return node.outputs[0]

    def ramp(self, share, diverging):
        node = self.new("ShaderNodeValToRGB")
        fill_ramp(node.color_ramp, diverging)
        self.tree.links.new(share, node.inputs[0])
        return node.outputs[0]

    def mix(self, share, first, second):
        node = self.new("ShaderNodeMix")
        node.data_type = "RGBA"
        self.tree.links.new(share, node.inputs["Factor"])
        for value, socket in ((first, node.inputs[6]), (second, node.inputs[7])):
            if isinstance(value, tuple):
                socket.default_value = value
            else:
                self.tree.links.new(value, socket)
        return node.outputs[2]


def fill_ramp(ramp, diverging):
    """Put the scale's stops into a colour ramp."""
    positions, colours = colour_scale.stops(diverging)
    ramp.interpolation = "LINEAR"
    while len(ramp.elements) < len(positions):
        ramp.elements.new(1.0)
    for element, position, colour in zip(ramp.elements, positions, colours, strict=True):
        element.position = float(position)
        element.color = (*map(float, colour), 1.0)


def scale_colour(nodes, signal):
    """Return the colour socket of a load in the scene's present range."""
    low = nodes.attribute(LOW, "VIEW_LAYER")
    span = nodes.math("SUBTRACT", nodes.attribute(HIGH, "VIEW_LAYER"), low)
    share = nodes.math("DIVIDE", nodes.math("SUBTRACT", signal, low), span)
    both = nodes.mix(
        nodes.attribute(DIVERGING, "VIEW_LAYER"),
        nodes.ramp(share, False),
        nodes.ramp(share, True),
    )
    grey = (*map(float, colour_scale.to_linear(colour_scale.NO_DATA_SRGB)), 1.0)
    return nodes.mix(nodes.math("LESS_THAN", signal, NO_DATA * 1e-3), both, grey)


def bone_material(channels, bone=BONE_SRGB, name=NAME):
    """Make the material for these channels (objects with `name` and `weights`)."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    nodes = _Nodes(tree)
    signal = mask = None
    for channel in channels:
        weight = None
        for name_of_weight in channel.weights:
            part = nodes.attribute(name_of_weight, "GEOMETRY")
            weight = part if weight is None else nodes.math("MAXIMUM", weight, part)
        shown = nodes.math(
            "MULTIPLY", weight, nodes.attribute(shown_property(channel.name), "VIEW_LAYER")
        )
        load = nodes.math("MULTIPLY", shown, nodes.attribute(channel.name, "OBJECT"))
        signal = load if signal is None else nodes.math("ADD", signal, load)
        mask = shown if mask is None else nodes.math("ADD", mask, shown)
    surface = nodes.new("ShaderNodeBsdfPrincipled")
    colour = (*map(float, colour_scale.to_linear(bone)), 1.0)
    surface.inputs["Base Color"].default_value = colour
    surface.inputs["Roughness"].default_value = 0.55
    output = nodes.new("ShaderNodeOutputMaterial")
    if signal is None:
        tree.links.new(surface.outputs[0], output.inputs["Surface"])
        return material
    light = nodes.new("ShaderNodeEmission")
    tree.links.new(scale_colour(nodes, signal), light.inputs["Color"])
    edge = nodes.math("MINIMUM", nodes.math("MULTIPLY", mask, 5.0), 1.0)
    blend = nodes.new("ShaderNodeMixShader")
    tree.links.new(edge, blend.inputs[0])
    tree.links.new(surface.outputs[0], blend.inputs[1])
    tree.links.new(light.outputs[0], blend.inputs[2])
    tree.links.new(blend.outputs[0], output.inputs["Surface"])
    return material


def legend_material():
    """Make the material of the legend's strip; its attribute `value` runs from 0 to 1."""
    material = bpy.data.materials.new("Kneestride legend")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    nodes = _Nodes(tree)
    low = nodes.attribute(LOW, "VIEW_LAYER")
    span = nodes.math("SUBTRACT", nodes.attribute(HIGH, "VIEW_LAYER"), low)
    part = nodes.math("MULTIPLY", nodes.attribute("value", "GEOMETRY"), span)
    light = nodes.new("ShaderNodeEmission")
    tree.links.new(scale_colour(nodes, nodes.math("ADD", part, low)), light.inputs["Color"])
    output = nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(light.outputs[0], output.inputs["Surface"])
    return material


def flat_material(name, srgb):
    """Make a material that shows one colour without shading."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    nodes = _Nodes(tree)
    light = nodes.new("ShaderNodeEmission")
    light.inputs["Color"].default_value = (*map(float, colour_scale.to_linear(srgb)), 1.0)
    output = nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(light.outputs[0], output.inputs["Surface"])
    material.diffuse_color = (*map(float, colour_scale.to_linear(srgb)), 1.0)
    return material


def show(scene, all_channels, display, diverging=False, span=None):
    """Show a display: switch its channels on, set the range.

    Parameters
    ----------
    scene : bpy scene
    all_channels : names of every channel of the file
    display : with `channels`, `low`, `high`
    diverging : show differences, range -span to +span
    """
    for name in all_channels:
        scene[shown_property(name)] = 1.0 if name in display.channels else 0.0
    low, high = (-span, span) if diverging else (display.low, display.high)
    scene[LOW], scene[HIGH] = float(low), float(high)
    scene[DIVERGING] = 1.0 if diverging else 0.0
