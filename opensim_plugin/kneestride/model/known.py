"""What is known of models and persons from earlier runs; see `model.stored`."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..paths_of_data import models_folder
from ..temporary import temporary_folder
from ..vocabulary import Array
from .fitting import FittedSubject
from .kernels import Tree
from .knee_geometry import Collateral, KneeGeometry
from .motion_scaling import Length
from .multibody import Multibody
from .muscle_parameters import Curves, MuscleParameters
from .osim import load_model
from .path_store import user_cache
from .stored import Shelf, code_of, key_of

_CLASSES = (
    Collateral, Curves, FittedSubject, KneeGeometry, Length, Multibody, MuscleParameters, Tree,
)  # fmt: skip


_TABLES = (".osim", ".csv", ".toml")


def shelf(name: str, classes: tuple[type, ...], kept: int) -> Shelf:
    """A folder of this user's cache; one that keeps nothing when caching is switched off."""
    base = user_cache()
    return Shelf(None if base is None else base / name, classes, kept)


@lru_cache(maxsize=4)
def multibody_of(xml: str) -> Multibody:
    """The tree of a model's text, read by OpenSim once and kept."""
    store = shelf("models", (Multibody, Tree), 60)
    key = key_of(code_of("model"), xml)
    found: Multibody | None = store.load(key)
    if found is None:
        found = Multibody.from_osim(opened_text(xml))
        store.save(key, found)
    return found


def opened_text(xml: str) -> Any:
    """The opensim.Model of a model's text."""
    with temporary_folder() as folder:
        path = Path(folder) / "model.osim"
        path.write_text(xml, encoding="utf-8")
        return load_model(path)


class LaterModel:
    """An opensim.Model that is read from its text when something is asked of it."""

    def __init__(self, xml: str) -> None:
        self._xml = xml

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if "_model" not in self.__dict__:
            self._model = opened_text(self._xml)
        return getattr(self._model, name)


def person(key: str) -> FittedSubject | None:
    """A person who was fitted before, or None."""
    found = shelf("people", _CLASSES, 60).load(key)
    if found is None:
        return None
    told, xml, knees, parameters = found
    fitted: FittedSubject = replace(told, model=LaterModel(xml))
    fitted.remember(xml, knees, parameters)
    return fitted


def remember(key: str, fitted: FittedSubject) -> None:
    """Keep a person for the next run."""
    told = replace(fitted, model=None)
    found = (told, fitted.xml, fitted.knees, fitted.parameters)
    shelf("people", _CLASSES, 60).save(key, found)


def key_of_person(*parts: object) -> str:
    """Name of the person whom these inputs (see `model.stored.key_of`) lead to."""
    tables = [p for p in sorted(models_folder().iterdir()) if p.suffix in _TABLES]
    shipped = tuple(p.read_bytes() for p in tables)
    return key_of(code_of("model", "capture", "paths_of_data.py"), shipped, *parts)


def muscle_lengths(xml: str, pose: Array, centers: Array) -> tuple[Shelf, str]:
    """Where path lengths of a model in a pose are kept, and under which name."""
    return shelf("lengths", (), 60), key_of(code_of("model"), xml, pose, centers)
