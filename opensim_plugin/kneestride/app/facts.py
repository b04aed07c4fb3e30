"""What was recognised in a recording, as rows of words."""

from __future__ import annotations

from typing import Any

from .texts import Texts

MOST = 4
"""Names or events that are listed one by one."""


def facts(told: dict[str, Any], texts: Texts) -> list[tuple[str, str]]:
    """Rows (name, value) for `looking.Looked.told`."""
    t = texts
    rows = [(t("fact_markers"), _markers(told, t))]
    length = t("seconds_frames", seconds=f"{told['seconds']:.1f}", frames=told["frames"],
               rate=f"{told['rate']:g}")  # fmt: skip
    rows.append((t("fact_length"), length))
    if told["picture"]:
        rows.append((t("fact_units"), t("units_picture")))
    elif told["ground"]:
        rows.append((t("fact_units"), t("units_found", height=f"{told['height']:.2f}")))
    else:
        rows.append((t("fact_units"), t("units_unknown")))
    rows.append((t("fact_gaps"), _gaps(told["gaps"], t)))
    rows.append((t("fact_forces"), _plates(told, t)))
    rows.append((t("fact_events"), _events(told["events"], t)))
    rows += [(t("fact_note") if k == 0 else "", n) for k, n in enumerate(told["notes"])]
    return rows


def _markers(told: dict[str, Any], t: Texts) -> str:
    known = sum(1 for v in told["mapping"].values() if v)
    text = t("markers_found", count=len(told["markers"]), landmarks=known,
             clusters=len(told["clusters"]))  # fmt: skip
    if told["set"]:
        text += " " + t("marker_set", name=told["set"].replace("_", " "))
    if told["unknown"]:
        text += " " + t("markers_unknown", names=_listed(told["unknown"]))
    return text


def _gaps(gaps: dict[str, float], t: Texts) -> str:
    if not gaps:
        return t("gaps_none")
    worst = sorted(gaps, key=lambda n: -gaps[n])
    return t("gaps_some", count=len(gaps),
             names=_listed([f"{n} {100 * gaps[n]:.0f} %" for n in worst]))  # fmt: skip


def _plates(told: dict[str, Any], t: Texts) -> str:
    if not told["plates"]:
        return t("plates_none")
    lines = [t("force_rate", rate=f"{told['force_rate']:g}")]
    for plate in told["plates"]:
        contacts = plate["contacts"]
        feet = ", ".join(
            f"{t(key)} {contacts[side]}"
            for side, key in (("r", "right"), ("l", "left"), ("?", "unknown"))
            if contacts[side]
        )
        lines.append(t("plate", name=plate["name"], peak=f"{plate['peak']:.0f}",
                       feet=feet or t("no_contact")))  # fmt: skip
    return "\n".join(lines)


def _events(events: list[list[Any]], t: Texts) -> str:
    if not events:
        return t("events_none")
    return t(
        "events_some",
        count=len(events),
        names=_listed([f"{e[2]} {e[0]} {e[1]:.2f} s".strip() for e in events]),
    )


def _listed(names: list[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" (+{more})" if more > 0 else "")
