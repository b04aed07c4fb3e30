"""The app's words in one language: `models/app.toml`, then the add-on's table for loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..animate import addon_folder
from ..errors import KneestrideError
from ..paths_of_data import shipped_table
from ..report.words import Language


class Texts:
    """Texts by key; a key of the add-on's table stands for what only that one holds."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._own: Mapping[str, str] = shipped_table("app.toml")[language]
        self._addon: Mapping[str, str] = _addon_table().get(language, {})

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its places filled."""
        text = self._own.get(key) or self._addon.get(key)
        if text is None:
            raise KeyError(key)
        return str(text).format(**values) if values else str(text)

    def either(self, key: str, fallback: str) -> str:
        """The text of a key, or the fallback where there is none."""
        try:
            return self(key)
        except KeyError:
            return fallback


def landmark_name(landmark: str, texts: Texts) -> str:
    """An id such as `epicondyle_lateral_r` as a person reads it."""
    stem, _, side = landmark.rpartition("_")
    if side in ("r", "l") and stem:
        return f"{stem.replace('_', ' ')}, {texts('right' if side == 'r' else 'left').lower()}"
    return landmark.replace("_", " ")


@cache
def _addon_table() -> Mapping[str, Any]:
    try:
        text = (addon_folder() / "texts.json").read_text(encoding="utf-8")
        return dict(json.loads(text))
    except (KneestrideError, OSError, ValueError):
        return {}  # the scene's own English labels stand in
