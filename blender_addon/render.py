"""Pictures and films, so that a film that was stopped goes on where it stopped.

A film is rendered as numbered pictures in a folder beside it and put together at the end.
A picture is written under another name first and renamed when it is whole; a picture that
is there is therefore finished, and the next run skips it.
"""

import math
import shutil
from pathlib import Path

import bpy


def settings(scene, engine="CYCLES", samples=16, size=(1280, 720), transparent=False):
    """Set the renderer: 'CYCLES' for final pictures, 'WORKBENCH' or 'EEVEE' for previews."""
    known = {"CYCLES": "CYCLES", "EEVEE": "BLENDER_EEVEE", "WORKBENCH": "BLENDER_WORKBENCH"}
    scene.render.engine = known[engine]
    if engine == "CYCLES":
        scene.cycles.samples = samples
        scene.cycles.use_denoising = samples < 128
        scene.render.use_persistent_data = True
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = transparent


def picture(scene, path, frame):
    """Render one frame, which may lie between two, to a PNG."""
    path = Path(path)
    image = scene.render.image_settings
    image.media_type = "IMAGE"
    image.file_format = "PNG"
    image.color_mode = "RGBA" if scene.render.film_transparent else "RGB"
    whole = math.floor(frame + 1e-9)
    scene.frame_set(whole, subframe=max(float(frame) - whole, 0.0))
    part = path.with_name(path.stem + ".part.png")
    scene.render.filepath = str(part)
    bpy.ops.render.render(write_still=True)
    part.replace(path)
    return path


def frames_folder(path):
    """Folder of a film's pictures."""
    path = Path(path)
    return path.with_name(path.name + ".frames")


def film_frames(scene, path, step=1):
    """Yield (frame, done, total) and render what is missing, one picture a turn."""
    folder = frames_folder(path)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(scene.frame_start, scene.frame_end + 1, step)
    for done, frame in enumerate(numbers):
        target = folder / f"{frame:06d}.png"
        if not target.exists():
            picture(scene, target, frame)
        yield frame, done + 1, len(numbers)


def assemble(scene, path, keep=False):
    """Put a film's pictures together as MP4 (H.264), and take the pictures away."""
    path = Path(path)
    folder = frames_folder(path)
    pictures = sorted(folder.glob("[0-9]*.png"))
    cutter = bpy.data.scenes.new("Kneestride film")
    try:
        cutter.render.fps, cutter.render.fps_base = scene.render.fps, scene.render.fps_base
        cutter.render.resolution_x = scene.render.resolution_x
        cutter.render.resolution_y = scene.render.resolution_y
        cutter.view_settings.view_transform = "Standard"
        strips = cutter.sequence_editor_create().strips
        strip = strips.new_image("film", str(pictures[0]), 1, 1)
        for more in pictures[1:]:
            strip.elements.append(more.name)
        strip.frame_final_duration = len(pictures)
        cutter.frame_start, cutter.frame_end = 1, len(pictures)
        image = cutter.render.image_settings
        image.media_type = "VIDEO"
        image.file_format = "FFMPEG"
        cutter.render.ffmpeg.format = "MPEG4"
        cutter.render.ffmpeg.codec = "H264"
        cutter.render.ffmpeg.constant_rate_factor = "HIGH"
        part = path.with_name(path.stem + ".part.mp4")
        cutter.render.filepath = str(part)
        cutter.render.use_file_extension = False
        bpy.ops.render.render(animation=True, scene=cutter.name)
        part.replace(path)
    finally:
        bpy.data.scenes.remove(cutter)
    if not keep:
        shutil.rmtree(folder)
    return path
