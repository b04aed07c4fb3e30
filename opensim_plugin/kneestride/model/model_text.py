"""A model file looked at as plain XML, before anything follows what it says. No OpenSim.

OpenSim trusts a model: it follows `file` attributes and mesh paths anywhere on the disk.
Here a document type, entities, a depth that exhausts a stack, and references to other
files are refused; of mesh files only the names are kept, because only they matter here.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from ..errors import ModelError

_DEPTH = 100
_MESHES = ("mesh_file", "geometry_file", "geometry_files", "texture_file")
_MESH = re.compile(rb"(<(mesh_file|geometry_files?|texture_file)>)([^<]*)(</\2>)")
_FILE = re.compile(r"file(name)?s?$", re.IGNORECASE)


def without_folders(data: bytes, name: str) -> bytes:
    """Return a model file whose mesh files are names without folders.

    Raises
    ------
    ModelError
        It is no plain XML of an OpenSim model, or refers to other files.
    """
    data = _MESH.sub(lambda m: m[1] + _base_names(m[3]) + m[4], data)
    _check(data, name)
    return data


def _base_names(text: bytes) -> bytes:
    return b" ".join(word.replace(b"\\", b"/").rsplit(b"/", 1)[-1] for word in text.split())


def _check(data: bytes, name: str) -> None:
    """Walk the XML without building anything from it."""
    parser = expat.ParserCreate()
    path: list[str] = []
    texts: list[list[str]] = []

    def wrong(found: str) -> ModelError:
        return ModelError(
            f"a whole OpenSim model in '{name}' that needs no other file",
            found,
            "save the model from the OpenSim GUI again, or take that part out",
        )

    def start(tag: str, attributes: dict[str, str]) -> None:
        if not path and tag != "OpenSimDocument":
            raise wrong(f"XML that begins with '{tag[:60]}'")
        if len(path) >= _DEPTH:
            raise wrong("elements nested too deeply")
        if "file" in attributes:
            raise wrong(f"'{tag[:60]}' in another file ('{attributes['file'][:60]}')")
        path.append(tag)
        texts.append([])

    def end(tag: str) -> None:
        path.pop()
        text = "".join(texts.pop()).strip()
        if not _FILE.search(tag) or text in ("", "Unassigned"):
            return
        if tag not in _MESHES:
            raise wrong(f"'{tag[:60]}' that names '{text[:60]}'")
        if "/" in text or "\\" in text:
            raise wrong(f"a mesh in a folder, '{text[:60]}'")

    def refuse(*_: object) -> None:
        raise wrong("a document type or entities, which no model needs")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda part: texts[-1].append(part)
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise wrong(f"no complete XML ({error})") from error
