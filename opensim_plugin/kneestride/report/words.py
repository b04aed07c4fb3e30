"""The report's words and figures, from `models/report.toml`, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import SettingsError
from ..paths_of_data import shipped_table

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
MISSING = "–"
TABLE = "report.toml"


@dataclass(frozen=True)
class Quantity:
    """One row of a table.

    Attributes
    ----------
    column : str, of `strides.csv` and `summary.json`
    group : 'strides', 'alignment' or 'loads'
    name, tip, unit : str, as printed
    factor : float, from the column's unit to the printed one
    digits : int, after the decimal sign
    interval : str, its name in the summary's `uncertainty`, '' none
    per_kg : bool, the reference holds it per kilogram of body mass
    reference : bool, whether other people's figures say anything about it
    """

    column: str
    group: str
    name: str
    tip: str
    unit: str
    factor: float = 1.0
    digits: int = 1
    interval: str = ""
    per_kg: bool = False
    reference: bool = True


@dataclass(frozen=True)
class Curve:
    """One panel of curves: name in `stances.CURVES`, what stands above it, unit."""

    name: str
    title: str
    unit: str


class Words:
    """Sentences and numbers of one language.

    Parameters
    ----------
    language : 'en' or 'de'
    """

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._texts: Mapping[str, Any] = shipped_table(TABLE)[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text `section.key` (or a plain key) with its places filled."""
        section, dot, name = key.rpartition(".")
        text = (self._texts[section] if dot else self._texts)[name]
        return str(text).format(**values) if values else str(text)

    def either(self, key: str, fallback: str) -> str:
        """The text of a key, or the fallback where there is none (a new check's name)."""
        try:
            return self(key)
        except KeyError:
            return fallback

    def number(self, value: float | None, digits: int, sign: bool = False) -> str:
        """A figure with a fixed number of decimals; a dash where there is none."""
        if value is None or not math.isfinite(value):
            return MISSING
        text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
        if float(text) == 0.0:
            text = text.lstrip("+-")
        return text.replace("-", "−").replace(".", str(self._texts["decimal"]))

    def span(self, low: float | None, high: float | None, digits: int) -> str:
        """'3.4 to 8.0'."""
        return f"{self.number(low, digits)} {self('to')} {self.number(high, digits)}"

    def quantities(self, group: str) -> list[Quantity]:
        """The rows of one table."""
        end = self.language
        return [
            Quantity(
                q["column"], group, q[end], q[f"tip_{end}"], q["unit"], q.get("factor", 1.0),
                q["digits"], q.get("interval", ""), q.get("per_kg", False),
                q.get("reference", True),
            )
            for q in shipped_table(TABLE)["quantity"]
            if q["group"] == group
        ]  # fmt: skip

    def curves(self) -> list[Curve]:
        """The panels of curves."""
        return [
            Curve(c["name"], c[self.language], c["unit"]) for c in shipped_table(TABLE)["curve"]
        ]


def language_argument(text: str) -> Language:
    """Return `--language` as the report wants it.

    Raises
    ------
    SettingsError
        There are no words in that language.
    """
    for language in LANGUAGES:
        if text.lower() == language:
            return language
    raise SettingsError(
        "a language that the report speaks", repr(text), "choose one of these", LANGUAGES
    )
