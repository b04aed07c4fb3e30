"""Read `scene.npz` and refuse, in words, whatever is not one.

The file comes from a person's disk, so nothing in it is believed: the size and number of
its arrays are looked at before they are unpacked, nothing pickled is read, and every
shape, number and name is checked before the first object is made. numpy only; neither
Blender nor kneestride is needed. The layout is that of docs/blender.md.
"""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SCHEMA, VERSION = "kneestride-scene", 1
MAX_FRAMES = 100_000
MAX_BYTES = 1_000_000_000
MAX_RUNNERS = 12
MAX_LINES, MAX_SLOTS, OFF = 1000, 20_000, -32768


class SceneError(ValueError):
    """The file cannot be shown; the message is one sentence for the person.

    What it quotes from the file becomes plain: no control characters, nothing endless.
    """

    def __init__(self, message):
        super().__init__(plain(str(message)))


def plain(text: str, longest: int = 1000) -> str:
    """Return text as one line of printable characters, cut where it is too long."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return line if len(line) <= longest else line[:longest] + "…"


@dataclass(frozen=True)
class Mesh:
    """A mesh in its body's frame, without vertices (they belong to a shape).

    `faces` (F, 3), `weights` (V, W) uint8 where 255 is 1, `weight_names` of length W.
    """

    name: str
    body: str
    side: str
    schematic: bool
    faces: np.ndarray
    weight_names: tuple
    weights: np.ndarray


@dataclass(frozen=True)
class Channel:
    """A load: name, label, unit, the weights it shows on, grade."""

    name: str
    label: str
    unit: str
    weights: tuple
    confidence: str


@dataclass(frozen=True)
class Display:
    """Channels of one unit on one range (`low`, `high`)."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    channels: tuple


@dataclass(frozen=True)
class Runner:
    """One runner over time.

    `time` (T,) s; `phase` (T, 2) % of the own stride; `position` (T, B, 3) m and
    `quaternion` (T, B, 4) w x y z, body in ground; `channels` (T, C, 2), NaN where there
    are no data; `ground_force` and `ground_point` (T, 2, 3) or None; `shape` is the index of
    its meshes' vertices; `strides` are rows of strides.csv.
    """

    name: str
    label: str
    body_weight: float
    shape: int
    simulated: bool
    time: np.ndarray
    phase: np.ndarray
    position: np.ndarray
    quaternion: np.ndarray
    channels: np.ndarray
    ground_force: object
    ground_point: object
    strides: tuple
    predicted: bool = False
    failed: tuple = ()
    lines: object = None
    leg: str = ""
    """'r' or 'l' where a runner stands twice in the picture, once for each leg."""


@dataclass(frozen=True)
class Line:
    """A muscle or ligament: slots `first` to `first + count`; `activation` is a column or -1.

    `knee`: it crosses the knee; `channel` is the load that colours it, or empty.
    """

    name: str
    kind: str
    side: str
    knee: bool
    radius: float
    first: int
    count: int
    activation: int
    channel: str


@dataclass(frozen=True)
class Lines:
    """Paths of one runner: slots (K, S, 3) m in the bodies `body` (S,) at `time` (K,) s.

    A slot is NaN where the path is clear of it and goes straight from the one before to the
    one after; the first and the last slot of a line are numbers.
    `activation` (T, A) 0 to 1 at the runner's frames, NaN where there are no data.
    """

    lines: tuple
    time: np.ndarray
    body: np.ndarray
    points: np.ndarray
    activation: np.ndarray


@dataclass(frozen=True)
class Scene:
    """Everything in the file; `shapes[k][mesh name]` is (V, 3) m.

    `model` is the model's name, None in files that do not tell; `differences` are rows with
    `first`, `second` (runners' labels), `side`, `quantity`, `change`, `low`, `high`.
    """

    path: str
    title: str
    provenance: str
    sides: tuple
    bodies: tuple
    meshes: tuple
    shapes: tuple
    channels: tuple
    displays: tuple
    runners: tuple
    model: object = None
    differences: tuple = ()

    def display(self, name: str) -> Display:
        """Return a display by name, or say which there are."""
        for display in self.displays:
            if display.name == name:
                return display
        known = ", ".join(d.name for d in self.displays)
        raise SceneError(f"There is no load called '{name}' in this file; it has: {known}.")


def find_scene(path) -> Path:
    """Return the scene file of a results folder, or the file itself.

    Raises
    ------
    SceneError
        Nothing there, or a folder without a scene.
    """
    path = Path(path)
    if path.is_dir():
        if (path / "scene.npz").is_file():
            return path / "scene.npz"
        raise SceneError(
            f"The folder '{path.name}' holds no scene.npz; choose the folder that "
            "kneestride analyse, simulate or compare wrote."
        )
    if not path.is_file():
        raise SceneError(f"There is no file or folder called '{path.name}' there.")
    return path


def read_scene(path) -> Scene:
    """Read and check a scene.

    Parameters
    ----------
    path : a scene.npz or a results folder that holds one

    Raises
    ------
    SceneError
        In one sentence, what is wrong; nothing is half read.
    """
    path = find_scene(path)
    arrays = _Arrays(path)
    about = arrays.about()
    try:
        return _scene(str(path), arrays, about)
    except SceneError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise SceneError(
            f"'{path.name}' is damaged: its description lacks or misstates {error}; "
            "write it again with kneestride."
        ) from error


class _Arrays:
    """The arrays of an npz file, each checked when asked for."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
                if size > MAX_BYTES:
                    raise SceneError(
                        f"'{self.name}' would unpack to {size / 1e9:.1f} GB, more than any "
                        "scene needs; it is not opened."
                    )
            self.file = np.load(path, allow_pickle=False)
            if not hasattr(self.file, "files"):
                raise ValueError("a single array")
        except SceneError:
            raise
        except Exception as error:
            # What zipfile raises on damage is not one family of errors.
            raise SceneError(
                f"'{self.name}' is no scene file or is cut short; write it again with "
                "kneestride."
            ) from error

    def about(self) -> dict:
        """Return the description, its schema checked."""
        try:
            about = json.loads(self.get("about").tobytes().decode("utf-8"))
        except (SceneError, MemoryError):
            raise
        except (ValueError, RecursionError) as error:
            raise SceneError(f"The description in '{self.name}' cannot be read.") from error
        if not isinstance(about, dict) or about.get("schema") != SCHEMA:
            raise SceneError(f"'{self.name}' is not a kneestride scene.")
        if about.get("version") != VERSION:
            raise SceneError(
                f"'{self.name}' has scene version {about.get('version')}, this add-on reads "
                f"version {VERSION}; install the add-on that belongs to your kneestride."
            )
        return about

    def _check_size(self, key: str) -> None:
        """Raise when an array says that it is larger than what is stored of it."""
        name = f"{key}.npy"
        with self.file.zip.open(name) as part:
            version = np.lib.format.read_magic(part)
            one = version == (1, 0)
            header = np.lib.format
            read = header.read_array_header_1_0 if one else header.read_array_header_2_0
            shape, _, dtype = read(part)
        stored = self.file.zip.getinfo(name).file_size
        if dtype.hasobject or math.prod(shape) * max(dtype.itemsize, 1) > stored:
            raise ValueError("a larger array than is stored")

    def get(self, key: str, shape: tuple = (), kind: str = "", finite: bool = True):
        """Return one array of the given shape (None: any length) and kind."""
        if key not in self.file.files:
            raise SceneError(f"'{self.name}' lacks the array '{key}'.")
        try:
            self._check_size(key)
            values = self.file[key]
            if not isinstance(values, np.ndarray):
                raise ValueError("no array")
        except Exception as error:
            # numpy evaluates an array's header as Python: any error of it means damage.
            raise SceneError(
                f"The array '{key}' in '{self.name}' is damaged or not plain numbers; write "
                "the scene again with kneestride."
            ) from error
        if shape and (
            values.ndim != len(shape)
            or any(w is not None and w != n for w, n in zip(shape, values.shape, strict=True))
        ):
            wanted = " x ".join("any" if w is None else str(w) for w in shape)
            found = " x ".join(map(str, values.shape))
            raise SceneError(f"'{key}' in '{self.name}' is {found} and should be {wanted}.")
        if kind and values.dtype.kind not in kind:
            raise SceneError(f"'{key}' in '{self.name}' holds {values.dtype}, not numbers.")
        if finite and values.dtype.kind == "f" and not np.isfinite(values).all():
            raise SceneError(
                f"'{key}' in '{self.name}' holds values that are not numbers (NaN or "
                "infinite); a scene must be complete."
            )
        return values


def _scene(path: str, arrays: _Arrays, about: dict) -> Scene:
    bodies = tuple(str(b) for b in about["bodies"])
    entries = about["runners"]
    if not 1 <= len(entries) <= MAX_RUNNERS:
        raise SceneError(f"A scene holds 1 to {MAX_RUNNERS} runners; this one {len(entries)}.")
    for entry in entries:
        if not 2 <= int(entry["frames"]) <= MAX_FRAMES:
            raise SceneError(
                f"'{entry['label']}' has {entry['frames']} frames; a scene holds 2 to "
                f"{MAX_FRAMES}: write a shorter part of the recording."
            )
    channels = tuple(
        Channel(c["name"], c["label"], c["unit"], tuple(c["weights"]), c["confidence"])
        for c in about["channels"]
    )
    names = {c.name for c in channels}
    displays = tuple(
        Display(
            d["name"], d["label"], d["unit"], float(d["low"]), float(d["high"]),
            tuple(d["channels"]),
        )
        for d in about["displays"]
    )  # fmt: skip
    for d in displays:
        if not np.isfinite([d.low, d.high]).all() or d.low >= d.high:
            raise SceneError(f"The range of '{d.label}' is {d.low} to {d.high}, which is none.")
        if not set(d.channels) <= names:
            raise SceneError(f"'{d.label}' shows loads that the file does not hold.")
    meshes = tuple(_mesh(arrays, m, bodies) for m in about["meshes"])
    shapes = tuple(_shape(arrays, k, meshes) for k in range(int(about["shapes"])))
    runners = tuple(
        _runner(arrays, k, entry, len(bodies), channels, len(shapes))
        for k, entry in enumerate(entries)
    )
    return Scene(
        path, str(about["title"]), str(about["provenance"]), tuple(about["sides"]), bodies,
        meshes, shapes, channels, displays, runners,
        None if about.get("model") is None else str(about["model"]),
        _differences(about.get("differences", [])),
    )  # fmt: skip


def _differences(rows: list) -> tuple:
    kept = []
    for row in rows:
        numbers = {n: float(row[n]) for n in ("change", "low", "high")}
        if not np.isfinite(list(numbers.values())).all():
            raise SceneError("A difference between runners in this file is not a number.")
        words = {n: str(row[n]) for n in ("first", "second", "side", "quantity")}
        kept.append(words | numbers)
    return tuple(kept)


def _mesh(arrays: _Arrays, entry: dict, bodies: tuple) -> Mesh:
    name = str(entry["name"])
    if entry["body"] not in bodies:
        raise SceneError(
            f"The mesh '{name}' belongs to '{entry['body']}', which is no body here."
        )
    faces = arrays.get(f"mesh.{name}.faces", (None, 3), "u")
    weight_names = tuple(str(w) for w in entry["weights"])
    weights = (
        arrays.get(f"mesh.{name}.weights", (None, len(weight_names)), "u")
        if weight_names
        else np.zeros((0, 0), np.uint8)
    )
    return Mesh(
        name,
        entry["body"],
        entry["side"],
        bool(entry["schematic"]),
        faces,
        weight_names,
        weights,
    )


def _shape(arrays: _Arrays, k: int, meshes: tuple) -> dict:
    out = {}
    for mesh in meshes:
        vertices = arrays.get(f"shape{k}.{mesh.name}.vertices", (None, 3), "f")
        if len(mesh.faces) and int(mesh.faces.max()) >= len(vertices):
            raise SceneError(f"The mesh '{mesh.name}' names points that it does not have.")
        if mesh.weight_names and len(mesh.weights) != len(vertices):
            raise SceneError(
                f"The mesh '{mesh.name}' has weights for another number of points."
            )
        out[mesh.name] = vertices
    return out


def _runner(
    arrays: _Arrays, k: int, entry: dict, bodies: int, loads: tuple, shapes: int
) -> Runner:
    channels = len(loads)
    frames = int(entry["frames"])
    time = arrays.get(f"runner{k}.time", (frames,), "f")
    if not (np.diff(time) > 0).all():
        raise SceneError(f"The time of '{entry['label']}' does not always go forward.")
    if not 0 <= int(entry["shape"]) < shapes:
        raise SceneError(f"'{entry['label']}' asks for meshes that are not in the file.")
    quaternion = arrays.get(f"runner{k}.quaternion", (frames, bodies, 4), "f")
    if np.abs(np.linalg.norm(quaternion, axis=2) - 1).max() > 1e-3:
        raise SceneError(f"The body turns of '{entry['label']}' are not unit quaternions.")
    ground = bool(entry["ground"])
    point = (frames, 2, 3)
    return Runner(
        name=str(entry["name"]),
        label=str(entry["label"]),
        body_weight=float(entry["body_weight_N"]),
        shape=int(entry["shape"]),
        simulated=bool(entry["simulated"]),
        time=time,
        phase=arrays.get(f"runner{k}.phase", (frames, 2), "f", finite=False),
        position=arrays.get(f"runner{k}.position", (frames, bodies, 3), "f"),
        quaternion=quaternion,
        channels=arrays.get(f"runner{k}.channels", (frames, channels, 2), "f", finite=False),
        ground_force=(
            arrays.get(f"runner{k}.ground_force", point, "f", finite=False) if ground else None
        ),
        ground_point=arrays.get(f"runner{k}.ground_point", point, "f") if ground else None,
        strides=tuple(entry["strides"]),
        predicted=bool(entry.get("predicted_forces", False)),
        failed=tuple(str(name) for name in entry.get("failed_checks", ())),
        lines=_lines(arrays, k, entry, bodies, {c.name for c in loads}),
    )


def _lines(arrays: _Arrays, k: int, entry: dict, bodies: int, loads: set) -> object:
    """Muscles and ligaments; None in files without them."""
    rows = entry.get("lines")
    if not rows:
        return None
    name = entry["label"]
    body = arrays.get(f"runner{k}.line_body", (None,), "u")
    slots = len(body)
    if len(rows) > MAX_LINES or slots > MAX_SLOTS:
        raise SceneError(
            f"'{name}' has {len(rows)} muscles and ligaments of {slots} points; a scene holds "
            f"at most {MAX_LINES} of {MAX_SLOTS}."
        )
    if slots and int(body.max()) >= bodies:
        raise SceneError(f"A muscle of '{name}' hangs on a body that the file does not hold.")
    time = arrays.get(f"runner{k}.line_time", (None,), "f")
    if not 2 <= len(time) <= MAX_FRAMES or not (np.diff(time) > 0).all():
        raise SceneError(f"The time of the muscles of '{name}' does not always go forward.")
    rest = arrays.get(f"runner{k}.line_point", (slots, 3), "f")
    moving = arrays.get(f"runner{k}.line_moving", (None,), "u")
    path = arrays.get(f"runner{k}.line_path", (len(time), len(moving), 3), "i")
    if len(moving) and int(moving.max()) >= slots:
        raise SceneError(f"A muscle of '{name}' moves a point that it does not have.")
    frames = int(entry["frames"])
    levels = arrays.get(f"runner{k}.activation", (frames, None), "u")
    unit, full = float(entry["line_unit_m"]), float(entry["activation_full"])
    if not (0 < unit < 1 and 0 < full < 255):
        raise SceneError(f"The steps of the muscles of '{name}' are {unit} and {full}.")
    lines = tuple(_line(row, name, slots, levels.shape[1], loads) for row in rows)
    points = np.repeat(rest[None].astype(np.float32), len(time), axis=0)
    step = path.astype(np.float32) * np.float32(unit)
    step[(path == OFF).all(axis=2)] = np.nan
    points[:, moving] += step
    for line in lines:
        if not np.isfinite(points[:, [line.first, line.first + line.count - 1]]).all():
            raise SceneError(f"The path of '{line.name}' in '{name}' has a loose end.")
    activation = np.where(levels > full, np.nan, levels / full).astype(np.float32)
    return Lines(lines, time, body.astype(int), points, activation)


def _line(row: dict, runner: str, slots: int, columns: int, loads: set) -> Line:
    made = Line(
        str(row["name"]), str(row["kind"]), str(row["side"]), bool(row["knee"]),
        float(row["radius"]), int(row["start"]), int(row["count"]), int(row["activation"]),
        str(row["channel"]),
    )  # fmt: skip
    inside = made.first >= 0 and made.count >= 2 and made.first + made.count <= slots
    known = -1 <= made.activation < columns and made.channel in loads | {""}
    if not (inside and known and 0 < made.radius < 0.1):
        raise SceneError(
            f"The path of '{made.name}' in '{runner}' is not one that can be drawn."
        )
    return made
