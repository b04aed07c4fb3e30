"""Marker names, turned into anatomical landmarks.

Laboratories name the same bump on the same bone in a hundred ways. Everything after
this module speaks of landmarks only (`asis_r`, `epicondyle_lateral_l`), so a new marker
set is a table of names, never code. A table sorts its labels into four kinds:

- landmarks: on a known bony place; they scale the model and drive inverse kinematics;
- clusters: somewhere on a known segment; they drive inverse kinematics only, their place
  on the segment comes from the static trial;
- virtual: computed from other markers (joint centres); known, but they add no
  information to the fit and stay out of it unless asked for;
- ignored: in the file for other reasons (laboratory axes, model output).

Names are compared without case, separators and the subject's prefix, and the side may
stand before or after the name.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import MarkerSetError
from ..paths_of_data import models_folder
from .landmarks import BODIES, Landmark, Landmarks, landmark_table, read_table

__all__ = [
    "BODIES",
    "Landmark",
    "Landmarks",
    "MarkerSet",
    "Recognition",
    "available_marker_sets",
    "landmark_table",
    "load_marker_set",
    "recognise",
    "subject_prefix",
]

SECTIONS = ("landmarks", "clusters", "virtual")
_HEADER = ("name", "source", "description", "ignore", "kind")
KINDS = ("markers", "keypoints")

PELVIS_MARKERS_NEEDED = 3
MATCHED_SHARE_NEEDED = 0.5
"""Below this share of known names a guess of the marker set is more likely wrong than right."""

# Trajectories that tracking software leaves without a name: Vicon "*12", Qualisys
# "Unidentified 3", OptiTrack "Unlabeled 1234", Cortex "U_7", ezc3d "uname*1".
_UNNAMED = re.compile(r"(\*|uname\*?|u_|unlabell?ed|unidentified|unknown|new)[\s_-]*\d+", re.I)


@dataclass(frozen=True)
class MarkerSet:
    """Names of one laboratory's markers.

    Attributes
    ----------
    name : str
    landmarks : mapping of marker label to landmark id
    clusters : mapping of marker label to body
        Tracking markers without an anatomical place.
    virtual : mapping of marker label to landmark id
        Computed points, left out of fitting by default.
    ignored : frozenset of str
        Labels (shell patterns allowed) that carry no marker of the body.
    source : str
    kind : str
        "markers", or "keypoints": points of a video detector, which jitter by centimetres.
    """

    name: str
    landmarks: Mapping[str, str]
    clusters: Mapping[str, str] = field(default_factory=dict)
    virtual: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    source: str = ""
    kind: str = "markers"

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label with a meaning, ignored ones apart."""
        return (*self.landmarks, *self.clusters, *self.virtual)


@dataclass(frozen=True)
class Recognition:
    """What a recording's marker names mean.

    Attributes
    ----------
    marker_set : MarkerSet
        The set that explains most of the names.
    matched : mapping of recorded label to the set's label
    ignored : tuple of str
        Recorded labels left out on purpose, unnamed trajectories included.
    unknown : mapping of recorded label to its closest labels in the set (at most three)
    missing : tuple of str
        Landmark and cluster labels of the set that the recording lacks.
    """

    marker_set: MarkerSet
    matched: Mapping[str, str]
    ignored: tuple[str, ...]
    unknown: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]

    @property
    def landmarks(self) -> dict[str, str]:
        """Recorded label to landmark id."""
        return self._kind(self.marker_set.landmarks)

    @property
    def clusters(self) -> dict[str, str]:
        """Recorded label to the body it tracks."""
        return self._kind(self.marker_set.clusters)

    @property
    def virtual(self) -> dict[str, str]:
        """Recorded label of a computed point to landmark id."""
        return self._kind(self.marker_set.virtual)

    @property
    def share(self) -> float:
        """Share of the recorded names that have a meaning, ignored ones not counted."""
        return len(self.matched) / max(len(self.matched) + len(self.unknown), 1)

    def _kind(self, table: Mapping[str, str]) -> dict[str, str]:
        return {rec: table[label] for rec, label in self.matched.items() if label in table}

    def describe(self) -> str:
        """One plain sentence, for the log and `summary.json`."""
        text = (
            f"Marker set {self.marker_set.name}: {len(self.landmarks)} landmarks, "
            f"{len(self.clusters)} tracking markers, {len(self.virtual)} computed points, "
            f"{len(self.ignored)} ignored"
        )
        if self.unknown:
            text += "; not known: " + ", ".join(
                f"{name} (closest: {', '.join(close) or 'none'})"
                for name, close in self.unknown.items()
            )
        return text + "."


# ----------------------------------------------------------------------- marker sets ------


def available_marker_sets() -> tuple[str, ...]:
    """Names of the marker sets that come with kneestride."""
    return tuple(sorted(file.stem for file in _sets_folder().glob("*.toml")))


def load_marker_set(which: str | Path) -> MarkerSet:
    """Read a marker set, by the name of a built-in one or from a TOML file.

    Parameters
    ----------
    which : str or Path
        A name of `available_marker_sets()`, or a file of the same form
        (docs/markersets.md tells how to write one).

    Raises
    ------
    MarkerSetError
        No such set or file; not TOML; a landmark, body or section that does not exist; a
        label with two meanings.
    """
    path = Path(which)
    if path.suffix != ".toml" and str(which) in available_marker_sets():
        path = _sets_folder() / f"{which}.toml"
    elif not path.is_file():
        raise MarkerSetError(
            expected="the name of a marker set or a TOML file with one",
            found=f"'{which}', which is neither",
            available=available_marker_sets(),
            todo="choose one of these, or give the path of your own TOML file",
        )
    return _marker_set(read_table(path, "a marker set"), path)


@functools.cache
def _built_in() -> tuple[MarkerSet, ...]:
    return tuple(load_marker_set(name) for name in available_marker_sets())


def _sets_folder() -> Path:
    return models_folder() / "markersets"


def _marker_set(table: Mapping[str, Any], path: Path) -> MarkerSet:
    known = (*SECTIONS, *_HEADER)
    for key in table:
        if key not in known:
            raise _wrong(path, f"the entry '{key}'", key, known, "section or entry")
    parts: dict[str, dict[str, str]] = {}
    ids = landmark_table()
    for section in SECTIONS:
        entries = table.get(section, {})
        if not isinstance(entries, dict):
            raise _wrong(
                path, f"'{section}' that is no table of labels", section, known, "table"
            )
        choices: Sequence[str] = BODIES if section == "clusters" else tuple(ids)
        what = "body" if section == "clusters" else "landmark"
        for label, value in entries.items():
            if value not in choices:
                found = f"'{label} = {value!r}' in [{section}]"
                raise _wrong(path, found, str(value), choices, what)
        parts[section] = dict(entries)
    ignore = table.get("ignore", [])
    if isinstance(ignore, dict):
        ignore = ignore.get("labels", [])
    if not isinstance(ignore, list) or not all(isinstance(item, str) for item in ignore):
        raise _wrong(path, "an 'ignore' that is no list of names", "ignore", known, "list")

    if table.get("kind", "markers") not in KINDS:
        raise _wrong(path, f"kind = {table['kind']!r}", str(table["kind"]), KINDS, "kind")

    counts = Counter(_squash(label) for part in parts.values() for label in part)
    twice = [label for part in parts.values() for label in part if counts[_squash(label)] > 1]
    if twice:
        raise MarkerSetError(
            expected=f"one meaning for each label in {path.name}",
            found=f"{', '.join(sorted(set(twice)))} more than once "
            "(case and separators do not count)",
            todo="keep one of the entries",
        )
    if not parts["landmarks"]:
        raise MarkerSetError(
            expected=f"a [landmarks] table in {path.name} with at least the pelvis",
            found="none",
            available=SECTIONS,
            todo="write marker label = landmark id there; docs/markersets.md shows how",
        )
    return MarkerSet(
        name=str(table.get("name", path.stem)),
        landmarks=parts["landmarks"],
        clusters=parts["clusters"],
        virtual=parts["virtual"],
        ignored=frozenset(ignore),
        source=str(table.get("source", "")),
        kind=str(table.get("kind", "markers")),
    )


def _wrong(
    path: Path, found: str, value: str, choices: Sequence[str], what: str
) -> MarkerSetError:
    close = difflib.get_close_matches(value, choices, n=5, cutoff=0.4)
    return MarkerSetError(
        expected=f"a known {what} in {path.name}",
        found=found,
        available=close or choices,
        todo="use one of these; docs/markersets.md lists them all",
    )


# ----------------------------------------------------------------------- recognition ------


def recognise(
    labels: Iterable[str],
    sets: Iterable[MarkerSet] | None = None,
    *,
    need_pelvis: bool = True,
) -> Recognition:
    """Find the marker set that explains a recording's marker names best.

    Parameters
    ----------
    labels : iterable of str
        Marker names as recorded, subject prefixes ("Subj:LASI") included.
    sets : iterable of MarkerSet, optional
        Candidates; by default every built-in set.
    need_pelvis : bool
        Refuse a recording with fewer than three points on the pelvis (hip joint centres
        count), since every coordinate hangs on it.

    Raises
    ------
    MarkerSetError
        No names; names of two persons; fewer than half of the names known; no pelvis.
    """
    names = _plain_names(labels)
    recorded = list(names)
    if all(_UNNAMED.fullmatch(name) for name in names.values()):
        raise MarkerSetError(
            expected="named markers",
            found="no marker names" if not recorded else f"only {', '.join(recorded[:5])}",
            todo="label the trajectories in the capture software and export again",
        )
    _one_person(names)
    candidates = _built_in() if sets is None else tuple(sets)
    best = max((_match(names, each) for each in candidates), key=_quality)
    # Telling what an unknown name resembles costs a second over all sets; one is enough.
    close = {k: _closest(names[k], best.marker_set.labels) for k in best.unknown}
    best = replace(best, unknown=close)
    if best.share < MATCHED_SHARE_NEEDED or not best.landmarks:
        every = [label for each in candidates for label in each.labels]
        unknown = {label: _closest(names[label], every) for label in best.unknown}
        raise MarkerSetError(
            expected="the marker names of a known set",
            found=f"{len(best.unknown)} of {len(recorded)} names that no set knows; the "
            f"closest set is {best.marker_set.name}. {_closest_text(unknown)}",
            available=[each.name for each in candidates],
            todo="rename the markers, or describe them in a TOML file and pass it with "
            "--markers (docs/markersets.md)",
        )
    if need_pelvis:
        _check_pelvis(best)
    return best


def _quality(found: Recognition) -> tuple[float, int, float]:
    informative = len(found.landmarks) + len(found.clusters)
    wanted = informative + len(found.missing)
    return (round(found.share, 3), informative, informative / max(wanted, 1))


def _match(names: Mapping[str, str], marker_set: MarkerSet) -> Recognition:
    by_key = {_squash(label): label for label in marker_set.labels}
    patterns = [_squash(pattern) for pattern in marker_set.ignored]
    matched: dict[str, str] = {}
    ignored: list[str] = []
    # Exact names first, so that a name with a moved side cannot take another's place.
    rest = []
    for label, name in names.items():
        if (own := by_key.get(_squash(name))) and own not in matched.values():
            matched[label] = own
        elif _UNNAMED.fullmatch(name) or any(
            fnmatch.fnmatchcase(_squash(name), pattern) for pattern in patterns
        ):
            ignored.append(label)
        else:
            rest.append(label)
    unknown: dict[str, tuple[str, ...]] = {}
    taken = set(matched.values())
    for label in rest:
        for key in _side_moved(names[label]):
            own = by_key.get(key)
            if own is not None and own not in taken:
                matched[label] = own
                taken.add(own)
                break
        else:
            unknown[label] = ()
    # A landmark given under another of its names is not missing.
    found = {marker_set.landmarks[own] for own in taken if own in marker_set.landmarks}
    missing = [
        *(own for own, name in marker_set.landmarks.items() if name not in found),
        *(own for own in marker_set.clusters if own not in taken),
    ]
    return Recognition(marker_set, matched, tuple(ignored), unknown, tuple(missing))


def _check_pelvis(found: Recognition) -> None:
    ids = landmark_table()
    on_pelvis = [lab for lab, name in found.landmarks.items() if ids[name].body == "pelvis"]
    on_pelvis += [lab for lab, body in found.clusters.items() if body == "pelvis"]
    on_pelvis += [
        lab for lab, name in found.landmarks.items() if name.startswith("hip_joint_center")
    ]
    if len(on_pelvis) >= PELVIS_MARKERS_NEEDED:
        return
    hips = [n for n in found.landmarks.values() if n.startswith("hip_joint_center")]
    if found.marker_set.kind == "keypoints" and len(set(hips)) == 2:
        return  # two hips and what hangs on them: all that many detectors give
    table = found.marker_set
    wanted = [lab for lab, name in table.landmarks.items() if ids[name].body == "pelvis"]
    raise MarkerSetError(
        expected=f"at least {PELVIS_MARKERS_NEEDED} markers on the pelvis "
        f"(marker set {table.name}: {', '.join(wanted)})",
        found=f"{len(on_pelvis)} ({', '.join(on_pelvis) or 'none'}). "
        f"{_closest_text(found.unknown)}",
        available=tuple(found.matched) + tuple(found.unknown),
        todo="label the pelvis markers, or name them in a TOML file passed with --markers",
    )


def _closest_text(unknown: Mapping[str, tuple[str, ...]]) -> str:
    lines = [
        f"{name} (closest: {', '.join(close) or 'none'})"
        for name, close in list(unknown.items())[:10]
    ]
    more = len(unknown) - len(lines)
    text = "Not known: " + ", ".join(lines) if lines else "No unknown names"
    return text + (f" and {more} more" if more > 0 else "")


def _closest(name: str, labels: Iterable[str]) -> tuple[str, ...]:
    by_key = {_squash(own): own for own in labels}
    close = difflib.get_close_matches(_squash(name), by_key, n=3, cutoff=0.5)
    return tuple(by_key[key] for key in close)


def _one_person(names: Mapping[str, str]) -> None:
    subjects = {label.rpartition(":")[0] for label in names if ":" in label}
    double = [
        name for name, count in Counter(map(_squash, names.values())).items() if count > 1
    ]
    if len(subjects) > 1 and double:
        raise MarkerSetError(
            expected="the markers of one person",
            found=f"{len(double)} names that occur under more than one of the subjects "
            f"{', '.join(sorted(subjects))}",
            todo="export one subject at a time",
        )


def _plain_names(labels: Iterable[str]) -> dict[str, str]:
    """Recorded label to the name without the subject's prefix ("Subj:LASI", "P01_LASI")."""
    names = {label: label.rpartition(":")[2].strip() for label in labels}
    if subject_prefix(names.values()):
        names = {label: name.partition("_")[2] or name for label, name in names.items()}
    return names


def subject_prefix(labels: Iterable[str]) -> str:
    """The subject's name with its underscore ("P01_") that markers begin with; '' for none.

    One word before the first underscore everywhere is a subject, not a side or a bone.
    """
    names = list(labels)
    heads = {name.partition("_")[0] for name in names if not _UNNAMED.fullmatch(name)}
    return f"{heads.pop()}_" if len(heads) == 1 and len(names) > 1 else ""


def _squash(name: str) -> str:
    return re.sub(r"[\s._-]+", "", name).lower()


def _side_moved(name: str) -> list[str]:
    """Other spellings of a name with its side in front: 'ASIS_R', 'Right Asis', 'asisRight'."""
    words = [word.lower() for word in re.split(r"[\s._-]+|(?<=[a-z])(?=[A-Z])", name) if word]
    sides = {"r": "r", "right": "r", "rt": "r", "l": "l", "left": "l", "lt": "l"}
    spellings = []
    if len(words) > 1:
        if words[0] in sides:
            spellings.append(sides[words[0]] + "".join(words[1:]))
        if words[-1] in sides:
            spellings.append(sides[words[-1]] + "".join(words[:-1]))
    flat = _squash(name)
    for word in ("right", "left"):
        if flat.startswith(word):
            spellings.append(word[0] + flat[len(word) :])
        elif flat.endswith(word):
            spellings.append(word[0] + flat[: -len(word)])
    if flat[-1:] in ("r", "l"):
        spellings.append(flat[-1] + flat[:-1])
    return spellings
