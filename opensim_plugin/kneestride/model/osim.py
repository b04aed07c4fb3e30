"""The one door to OpenSim: imported quietly, with the few conversions every room needs.

OpenSim writes ``opensim.log`` into the working directory and its notes (a line for
each mesh file it does not find) to the terminal. A clinical command line wants
neither, so the file sink is removed and only errors are let through, once, here.
Every other module of `kneestride.model` imports OpenSim from this one. It is loaded when
it is first asked for something: an analysis of a person who is known already never does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..temporary import temporary_folder
from ..vocabulary import Array


class _OpenSim:
    """The module `opensim`, loaded with the first attribute."""

    def __getattr__(self, name: str) -> Any:
        import opensim

        opensim.Logger.removeFileSink()
        opensim.Logger.setLevelString("Critical")
        # From now on attributes are found without coming here.
        self.__dict__.update(vars(opensim))
        return getattr(opensim, name)


opensim: Any = _OpenSim()

__all__ = [
    "as_array",
    "joint_child_body",
    "load_model",
    "opensim",
    "rotation_matrix",
    "text_of",
    "vec3",
]


def load_model(path: Path | str) -> Any:
    """Load an OpenSim model and check that it assembles.

    Parameters
    ----------
    path : path of an ``.osim`` file

    Returns
    -------
    opensim.Model
        Finalised and connected; `initSystem` has not been called.

    Raises
    ------
    ModelError
        When the file is missing or OpenSim cannot read it.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(
            expected="an OpenSim model file (.osim)",
            found=f"no file at {path}",
            todo="give the path of an existing .osim file",
        )
    try:
        model = opensim.Model(str(path))
        model.finalizeConnections()
    except RuntimeError as error:
        raise ModelError(
            expected="a model that OpenSim 4 can read",
            found=f"{path.name}, which OpenSim rejects ({_reason(error)})",
            todo="open the model in the OpenSim GUI and save it again, or pass another model",
        ) from error
    return model


def text_of(model: Any) -> str:
    """Return the text of the .osim file of a model."""
    with temporary_folder() as folder:
        path = Path(folder) / "model.osim"
        if not model.printToXML(str(path)):
            raise ModelError(
                "a folder for temporary files that can be written",
                f"{folder}, where OpenSim could not write the model",
                "free disk space or set TMPDIR to another folder",
            )
        return path.read_text(encoding="utf-8")


def vec3(values: Array | tuple[float, float, float] | list[float]) -> Any:
    """Turn three numbers into an `opensim.Vec3`."""
    x, y, z = (float(v) for v in values)
    return opensim.Vec3(x, y, z)


def as_array(vector: Any) -> Array:
    """Copy an OpenSim vector of any length into a numpy array.

    Element by element: ``to_numpy()`` on a temporary reads freed memory.
    """
    return np.array([vector.get(i) for i in range(vector.size())], dtype=np.float64)


def rotation_matrix(frame: Any, state: Any) -> Array:
    """Axes of `frame` in the ground frame, (3, 3), columns are the frame's axes."""
    rotation = frame.getTransformInGround(state).R()
    return np.array(
        [[rotation.asMat33().get(i, j) for j in range(3)] for i in range(3)], dtype=np.float64
    )


def joint_child_body(joint: Any) -> str:
    """Name of the body that a joint moves."""
    return str(joint.getChildFrame().findBaseFrame().getName())


def _reason(error: BaseException) -> str:
    """OpenSim opens with where it threw; the reason is on the line after."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[1] if len(lines) > 1 else lines[0]) if lines else type(error).__name__
