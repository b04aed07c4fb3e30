"""Whole, small inputs of every format, made here, from which broken ones are bred.

Nothing comes from a capture: figures are drawn from a fixed random generator, so that a
corpus of broken files can be shared by anyone.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RATE = 100.0
TESTS = Path(__file__).resolve().parents[2] / "tests"
MARKERS = ("RASI", "LASI", "RPSI", "LPSI", "RKNE", "LKNE", "RANK", "LANK")


@dataclass(frozen=True)
class Seed:
    """An input that is fine.

    Attributes
    ----------
    files : mapping of path in the input's folder to content
    main : what the reader is given, a key of `files` or '.' for the folder
    parts : files that may be broken
    """

    files: Mapping[str, bytes]
    main: str
    parts: tuple[str, ...]


def one(name: str, content: bytes | str) -> Seed:
    """An input of one file."""
    data = content.encode() if isinstance(content, str) else content
    return Seed({name: data}, name, (name,))


def _points(frames: int = 10, count: int = len(MARKERS)) -> Array:
    rng = np.random.default_rng(count)
    drift = np.linspace(0.0, 0.3, frames)[:, None, None]
    return np.asarray(rng.uniform(0.1, 1.5, (1, count, 3)) + drift)


# --- recordings ------------------------------------------------------------------------------


def trc() -> list[Seed]:
    """Tabs and blanks, with and without the row of axes, gaps, metres."""
    points, out = _points(), []
    points[3, 2] = np.nan
    for unit, factor, sep, axes in (("mm", 1e3, "\t", True), ("m", 1.0, " ", False)):
        head = [
            "PathFileType\t4\t(X/Y/Z)\tmade.trc",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate"
            "\tOrigDataStartFrame\tOrigNumFrames",
            f"{RATE:g}\t{RATE:g}\t{len(points)}\t{len(MARKERS)}\t{unit}\t{RATE:g}\t1\t10",
            "Frame#\tTime\t" + ("\t\t\t" if axes else "\t").join(MARKERS),
        ]
        if axes:
            rows = "\t".join(f"X{k}\tY{k}\tZ{k}" for k in range(1, len(MARKERS) + 1))
            head += ["\t\t" + rows, ""]
        for k, row in enumerate(points * factor):
            cells = (
                f"{v:.5g}" if np.isfinite(v) else ("" if axes else "NaN") for v in row.flat
            )
            head.append(sep.join([str(k + 1), f"{k / RATE:.3f}", *cells]))
        out.append(one("made.trc", "\n".join([*head, ""])))
    return out


def mot() -> list[Seed]:
    """Ground forces with old and new header, and a table of results."""
    names = [
        f"ground_force_{s}_{a}" for s in "rl" for a in ("vx", "vy", "vz", "px", "py", "pz")
    ]
    names += [f"ground_torque_{s}_{a}" for s in "rl" for a in "xyz"]
    rng = np.random.default_rng(4)
    rows = [
        "\t".join(f"{v:.6g}" for v in (k / 1000, *rng.normal(0, 300, len(names))))
        for k in range(12)
    ]
    table = ["\t".join(["time", *names]), *rows, ""]
    count = len(names) + 1
    new = [
        "made.mot",
        "version=1",
        "nRows=12",
        f"nColumns={count}",
        "inDegrees=no",
        "endheader",
    ]
    old = ["name made", f"datacolumns {count}", "datarows 12", "range 0 0.011", "endheader"]
    return [
        one("made.mot", "\n".join(new + table)),
        one("made.mot", "\n".join(old + table)),
        one("made.sto", "\n".join(new + table)),
    ]


def c3d_file(
    points: Array | None = None,
    plate: int = 2,
    scale: float = -1.0,
    order: str = "<",
    *,
    labels: Sequence[str] = MARKERS,
    subject: str = "",
    rate: float = RATE,
) -> bytes:
    """Bytes of a C3D after "The C3D File Format" (c3d.org): markers, a plate, an event.

    Parameters
    ----------
    points : (T, M, 3) m, of the `labels`
    plate : type of the force plate; scale : negative for reals
    subject : a name, as capture programs store it
    """
    xyz = 1000.0 * (_points(6) if points is None else points)
    frames, count = xyz.shape[:2]
    channels, sub = 6 + 2 * (plate == 3), 4
    section = bytearray(b"\x01\x50\x00" + (b"\x54" if order == "<" else b"\x56"))

    def group(number: int, name: str) -> None:
        section.extend(struct.pack("bb", len(name), -number) + name.encode())
        section.extend(struct.pack(order + "HB", 3, 0))

    def put(number: int, name: str, kind: int, dims: list[int], data: bytes) -> None:
        section.extend(struct.pack("bb", len(name), number) + name.encode())
        record = struct.pack("bB", kind, len(dims)) + bytes(dims) + data + b"\x00"
        section.extend(struct.pack(order + "H", len(record) + 2) + record)

    def texts(number: int, name: str, words: list[str]) -> None:
        wide = max(map(len, words), default=1)
        text = "".join(w.ljust(wide) for w in words).encode()
        put(number, name, -1, [wide, len(words)], text)

    def whole(number: int, name: str, *values: int) -> None:
        dims = [len(values)] if len(values) > 1 else []
        put(number, name, 2, dims, struct.pack(f"{order}{len(values)}h", *values))

    def real(number: int, name: str, values: Array, dims: list[int]) -> None:
        put(number, name, 4, dims, np.asarray(values, order + "f4").tobytes())

    blocks = 6 + 6 * (count > len(MARKERS))
    start = 2 + blocks
    group(1, "POINT")
    whole(1, "USED", count)
    real(1, "SCALE", np.array([scale]), [])
    real(1, "RATE", np.array([rate]), [])
    whole(1, "DATA_START", start)
    whole(1, "FRAMES", frames)
    texts(1, "UNITS", ["mm"])
    texts(1, "LABELS", list(labels[:count]))
    texts(1, "DESCRIPTIONS", ["" for _ in range(count)] or [""])
    group(2, "ANALOG")
    whole(2, "USED", channels)
    texts(2, "LABELS", [f"F{k}" for k in range(channels)])
    texts(2, "UNITS", ["N"] * channels if plate == 3 else ["N"] * 3 + ["Nmm"] * 3)
    real(2, "SCALE", np.ones(channels), [channels])
    real(2, "GEN_SCALE", np.array([1.0]), [])
    whole(2, "OFFSET", *[0] * channels)
    real(2, "RATE", np.array([rate * sub]), [])
    group(3, "FORCE_PLATFORM")
    whole(3, "USED", 1)
    whole(3, "TYPE", plate)
    whole(3, "ZERO", 1, 2)
    corners = np.array([[100, 500, 0], [700, 500, 0], [700, 100, 0], [100, 100, 0]])
    real(3, "CORNERS", corners, [3, 4, 1])
    real(3, "ORIGIN", np.array([10.0, -20.0, -40.0]), [3, 1])
    put(3, "CHANNEL", 2, [channels, 1],
        struct.pack(f"{order}{channels}h", *range(1, channels + 1)))  # fmt: skip
    if plate == 4:
        real(3, "CAL_MATRIX", np.eye(6), [6, 6, 1])
    group(4, "EVENT")
    whole(4, "USED", 1)
    texts(4, "LABELS", ["Foot Strike"])
    texts(4, "CONTEXTS", ["Right"])
    real(4, "TIMES", np.array([0.0, 0.02]), [2, 1])
    if subject:
        group(5, "SUBJECTS")
        whole(5, "USED", 1)
        texts(5, "NAMES", [subject])
        texts(5, "LABEL_PREFIXES", [f"{subject.split()[0]}:"])
    section.extend(b"\x00\x00")
    section[2] = blocks
    header = bytearray(512)
    struct.pack_into(order + "BBHHHHHfHHf", header, 0, 2, 0x50, count, channels * sub, 1,
                     frames, 10, scale, start, sub, rate)  # fmt: skip
    kind = "f4" if scale < 0 else "i2"
    rng = np.random.default_rng(7)
    data = bytearray()
    for t in range(frames):
        frame = np.zeros((count, 4))
        frame[:, :3] = xyz[t] if scale < 0 else xyz[t] / scale
        data += frame.astype(order + kind).tobytes()
        data += rng.normal(0, 200, (sub, channels)).astype(order + kind).tobytes()
    return bytes(header) + bytes(section).ljust(512 * blocks, b"\x00") + bytes(data)


def _poses_file() -> bytes:
    """Segment poses without points, as markerless systems write them."""
    parts = [f"{s}_{b}" for s in "rl" for b in ("thigh", "shank", "foot", "toes")]
    labels = [f"{name}_4X4" for name in ("pelvis", *parts)]
    data = bytearray(c3d_file(np.zeros((6, 0, 3)) + 0.0))
    frames, count = 6, len(labels)
    section = data[512 : 512 * 7]
    end = bytes(section).rstrip(b"\x00")
    text = "".join(n.ljust(11) for n in labels).encode()
    more = bytearray(struct.pack("bb", 8, -5) + b"ROTATION" + struct.pack("<HB", 3, 0))
    start = len(data) // 512 + 2
    for name, kind, dims, value in (
        ("USED", 2, [], struct.pack("<h", count)),
        ("DATA_START", 2, [], struct.pack("<h", start)),
        ("RATIO", 2, [], struct.pack("<h", 1)),
        ("LABELS", -1, [11, count], text),
    ):
        record = struct.pack("bB", kind, len(dims)) + bytes(dims) + value + b"\x00"
        more += struct.pack("bb", len(name), 5) + name.encode()
        more += struct.pack("<H", len(record) + 2) + record
    data[512 : 512 * 7] = (end + b"\x00" + bytes(more)).ljust(512 * 6, b"\x00")
    values = np.zeros((frames, count, 17), "<f4")
    values[..., :16] = np.eye(4).ravel()
    values[..., 12:15] = np.arange(count)[:, None] * 100.0
    return bytes(data).ljust(512 * (start - 1), b"\x00") + values.tobytes()


def c3d() -> list[Seed]:
    """Reals and scaled whole numbers, both byte orders, plate types, segment poses."""
    files = [
        c3d_file(),
        c3d_file(plate=3),
        c3d_file(plate=4),
        c3d_file(scale=0.1),
        c3d_file(order=">"),
        _poses_file(),
    ]
    return [one("made.c3d", content) for content in files]


# --- key points ------------------------------------------------------------------------------

COCO = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip


def keypoints_json() -> list[Seed]:
    """Detectors' forms in a file each, and a folder with a file a frame."""
    points = _points(5, len(COCO)).round(3)
    sure = np.full(points.shape[:2], 0.9)
    rows = np.concatenate([points, sure[..., None]], axis=2)
    named = [dict(zip("xyz", p, strict=True)) | {"visibility": 0.9} for p in points[0].tolist()]
    people = [{"person_id": [-1], "pose_keypoints_3d": r.ravel().tolist()} for r in rows]
    mm = [
        {"frame_id": t, "instances": [{"keypoints": p.tolist(), "keypoint_scores": [0.9] * 17}]}
        for t, p in enumerate(points)
    ]
    alpha = [
        {"image_id": f"{t}.jpg", "idx": 1, "keypoints": r[:, [0, 1, 3]].ravel().tolist()}
        for t, r in enumerate(rows)
    ]
    forms: list[object] = [
        {"names": COCO, "rate": 50, "frames": rows.tolist()},
        {"meta_info": {"fps": 50}, "rate": 50, "instance_info": mm},
        alpha,
        [{"timestamp_ms": 20 * t, "world_landmarks": [named]} for t in range(5)],
        {"fps": 30, "image_size": [640, 480], "frames": [{"people": [p]} for p in people]},
    ]
    out = [one("made.json", json.dumps(form)) for form in forms]
    folder = {
        f"clip/clip_{t:04d}_keypoints.json": json.dumps({"people": [p]}).encode()
        for t, p in enumerate(people)
    }
    return [*out, Seed(folder, "clip", tuple(folder))]


def keypoints_csv() -> list[Seed]:
    """A row a frame, a row a point."""
    points = _points(5, len(COCO)).round(3)
    wide = ["frame,time," + ",".join(f"{n}_{a}" for n in COCO for a in "xyzc")]
    long = ["frame,time,landmark,x,y,z,visibility"]
    for t, frame in enumerate(points):
        cells = ",".join(f"{x},{y},{z},0.9" for x, y, z in frame.tolist())
        wide.append(f"{t},{t / 50},{cells}")
        long += [f"{t},{t / 50},{n},{x},{y},{z},0.9"
                 for n, (x, y, z) in zip(COCO, frame.tolist(), strict=True)]  # fmt: skip
    return [one("made.csv", "\n".join(rows)) for rows in (wide, long)]


# --- tables of words -------------------------------------------------------------------------

MARKER_SET = """name = "made up"
source = "nobody"
ignore = ["EXTRA", "T10"]

[landmarks]
RASI = "asis_r"
LASI = "asis_l"
RPSI = "psis_r"
LPSI = "psis_l"
RKNE = "epicondyle_lateral_r"
LKNE = "epicondyle_lateral_l"

[clusters]
RTH1 = "femur_r"
LTH1 = "femur_l"
"""

STUDY = """name = "made up"
subjects = "people.csv"
out = "results"
metrics = ["medial_peak_N"]

[settings]
cutoff_hz = 15.0

[[trials]]
file = "{subject}_*.trc"
condition = "run"
forces = "none"
settings = { criterion = "squared" }

[[trials]]
subject = ["A1"]
file = "A1_run.trc"
static = "A1_run.trc"
condition = "walk"
treadmill_speed = 2.8

[[doses]]
variant = "valgus"
dose = [2.0, 4.0]
side = "both"
conditions = ["run"]
"""

STORYBOARD = """version = 1
look = "classroom"
side = "r"
when_missing = "drop"

[[shot]]
name = "neutral"
heading = "head_neutral"
runners = ["neutral"]
camera = "legs"
seconds = 8.0
speed = 0.12
start = "contact"
stop = "mid_stance"
overlays = ["lines"]
caption = ["neutral_is"]

[[shot]]
name = "mine"
text = { en = "Look at the knee.", de = "Auf das Knie schauen." }
numbers = ["knee_angle"]
camera = "three_knees"
seconds = 4
start = 10
stop = 60.5
repeat = false
"""

WORK = {
    "schema": "kneestride-work", "version": 1, "trial": "made.trc", "static": "", "forces": "",
    "mapping": {"RASI": "asis_r"},
}  # fmt: skip


def marker_set() -> list[Seed]:
    """A marker set of one's own."""
    return [one("mine.toml", MARKER_SET)]


def study() -> list[Seed]:
    """A study file with its table of people; the recordings are named, never read here."""
    people = "id,mass_kg,height_cm,sex,group,static\nA1,70.5,176,f,one,\nB 2,81,190,m,two,\n"
    files = {
        "study.toml": STUDY.encode(),
        "people.csv": people.encode(),
        "A1_run.trc": b"PathFileType",
        "B 2_run.trc": b"PathFileType",
    }
    return [Seed(files, "study.toml", ("study.toml", "people.csv"))]


def storyboard() -> list[Seed]:
    """A storyboard of two shots."""
    return [one("film.toml", STORYBOARD)]


def work() -> list[Seed]:
    """Saved work of the desktop app."""
    from kneestride.app.work import SCHEMA, SUFFIX, VERSION

    told = {**WORK, "schema": SCHEMA, "version": VERSION}
    return [one(f"made{SUFFIX}", json.dumps(told))]


# --- arrays ----------------------------------------------------------------------------------


def npz(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """An npz file, compressed."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def scene_arrays() -> dict[str, NDArray[np.generic]]:
    """The smallest scene: two bodies, one mesh, one runner, a muscle."""
    frames, bodies = 4, ["pelvis", "femur_r"]
    about = {
        "schema": "kneestride-scene", "version": 1, "title": "made up",
        "provenance": "measured ground forces", "sides": ["r", "l"], "bodies": bodies,
        "model": "kneestride_runner", "shapes": 1, "differences": [],
        "attached": [[{"file": "femur.vtp", "body": "femur_r", "scale": [1.0, 1.0, 1.0]}]],
        "channels": [{"name": "medial_force", "label": "Inner", "unit": "BW",
                      "weights": ["medial"], "confidence": "high"}],
        "displays": [{"name": "knee_force", "label": "Knee", "unit": "BW", "low": 0.0,
                      "high": 6.0, "channels": ["medial_force"]}],
        "meshes": [{"name": "femur_r", "body": "femur_r", "side": "r", "schematic": False,
                    "weights": ["medial"]}],
        "runners": [{"name": "neutral", "label": "Neutral", "body_weight_N": 690.0, "shape": 0,
                     "simulated": False, "frames": frames, "ground": True, "strides": [],
                     "line_unit_m": 0.0001, "activation_full": 250.0,
                     "lines": [{"name": "soleus_r", "kind": "muscle", "side": "r",
                                "knee": False, "radius": 0.01, "start": 0, "count": 2,
                                "activation": 0, "channel": ""}]}],
    }  # fmt: skip
    time = np.arange(frames) / 50.0
    turn = np.zeros((frames, 2, 4))
    turn[..., 0] = 1.0
    small = np.float32
    return {
        "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
        "mesh.femur_r.faces": np.array([[0, 1, 2], [0, 2, 3]], dtype=np.uint16),
        "mesh.femur_r.weights": np.array([[0], [255], [9], [1]], dtype=np.uint8),
        "shape0.femur_r.vertices": np.eye(4, 3, dtype=small),
        "runner0.time": time,
        "runner0.phase": np.tile(time[:, None], 2),
        "runner0.position": np.zeros((frames, 2, 3), small),
        "runner0.quaternion": turn.astype(small),
        "runner0.channels": np.full((frames, 1, 2), 2.0, small),
        "runner0.ground_force": np.ones((frames, 2, 3), small),
        "runner0.ground_point": np.zeros((frames, 2, 3), small),
        "runner0.line_body": np.array([0, 1], dtype=np.uint16),
        "runner0.line_time": time,
        "runner0.line_point": np.zeros((2, 3), small),
        "runner0.line_moving": np.array([1], dtype=np.uint16),
        "runner0.line_path": np.ones((frames, 1, 3), np.int16),
        "runner0.activation": np.zeros((frames, 1), np.uint8),
    }


def scene() -> list[Seed]:
    """A scene as the add-on opens it."""
    files = {"scene.npz": npz(scene_arrays()), "bones/femur.vtp": _vtp("ascii", False)}
    return [Seed(files, "scene.npz", ("scene.npz",))]


def stored() -> list[Seed]:
    """Arrays that the project keeps: bones, a cached fit, the ground model."""
    box = np.array([[0.0, 0.0, 0.0], [0.1, 0.1, 0.1]])
    told = {"schema": "kneestride-bones", "version": 1, "meshes": [
        {"name": "femur", "body": "femur", "sided": True, "schematic": False, "weights": ["m"]}
    ]}  # fmt: skip
    bones = {
        "about": np.frombuffer(json.dumps(told).encode(), dtype=np.uint8),
        "femur.box": box,
        "femur.vertices": np.arange(12, dtype=np.uint16).reshape(4, 3),
        "femur.faces": np.array([[0, 1, 2]], dtype=np.uint16),
        "femur.weights": np.zeros((4, 1), dtype=np.uint8),
    }
    fit: dict[str, NDArray[np.generic]] = {
        "count": np.array(0), "names": np.array(["soleus_r"]), "patella": np.array(True),
        "coordinates": np.array(["knee_angle_r"]), "unfit": np.array([0]),
    }  # fmt: skip
    from kneestride.paths_of_data import models_folder

    ground = next(models_folder().rglob("ground*.npz")).read_bytes()
    return [one("bones.npz", npz(bones)), one("fit.npz", npz(fit)), one("ground.npz", ground)]


# --- surfaces --------------------------------------------------------------------------------

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 1]], dtype="<f4")
FACES = [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4], [0, 2, 1], [0, 3, 2]]


def _vtp(form: str, pack: bool) -> bytes:
    blob = b""

    def coded(values: NDArray[np.generic]) -> bytes:
        data = values.tobytes()
        if pack:
            packed = zlib.compress(data)
            head = struct.pack("<IIII", 1, len(data), 0, len(packed))
            return base64.b64encode(head) + base64.b64encode(packed)
        return base64.b64encode(struct.pack("<I", len(data)) + data)

    def array(name: str, kind: str, values: NDArray[np.generic]) -> str:
        nonlocal blob
        start = f'<DataArray type="{kind}" Name="{name}"'
        if form == "ascii":
            return f'{start} format="ascii"> {" ".join(map(str, values.ravel()))} </DataArray>'
        if form == "binary":
            return f'{start} format="binary">{coded(values).decode()}</DataArray>'
        at, data = len(blob), values.tobytes()
        blob += struct.pack("<I", len(data)) + data
        return f'{start} format="appended" offset="{at}"/>'

    corners = np.array(FACES, dtype="<i8").ravel()
    ends = np.arange(3, 3 * len(FACES) + 1, 3, dtype="<i8")
    body = (
        f"<Points>{array('Points', 'Float32', CORNERS)}</Points>"
        f"<Polys>{array('connectivity', 'Int64', corners)}"
        f"{array('offsets', 'Int64', ends)}</Polys>"
    )
    packer = ' compressor="vtkZLibDataCompressor"' if pack else ""
    text = (
        f'<?xml version="1.0"?><VTKFile type="PolyData" byte_order="LittleEndian"{packer}>'
        f'<PolyData><Piece NumberOfPoints="5" NumberOfPolys="6">{body}</Piece></PolyData>'
    ).encode()
    if blob:
        text += b'<AppendedData encoding="raw">_' + blob + b"</AppendedData>"
    return text + b"</VTKFile>"


def vtp() -> list[Seed]:
    """Text, base64, packed base64, appended raw bytes."""
    kinds = (("ascii", False), ("binary", False), ("binary", True), ("raw", False))
    return [one("made.vtp", _vtp(*kind)) for kind in kinds]


def stl() -> list[Seed]:
    """Text and binary."""
    text, data = ["solid made"], bytearray(b"made".ljust(80) + struct.pack("<I", len(FACES)))
    for face in FACES:
        text += ["facet normal 0 0 1", "outer loop"]
        text += [f"vertex {x} {y} {z}" for x, y, z in CORNERS[face].tolist()]
        text += ["endloop", "endfacet"]
        data += np.zeros(3, "<f4").tobytes() + CORNERS[face].tobytes() + b"\x00\x00"
    return [one("made.stl", "\n".join([*text, "endsolid made"])), one("made.stl", bytes(data))]


def obj() -> list[Seed]:
    """Points, normals, polygons with and without slashes."""
    lines = ["# made", "o pyramid", "mtllib made.mtl"]
    lines += [f"v {x} {y} {z}" for x, y, z in CORNERS.tolist()]
    lines += [f"f {a + 1}//1 {b + 1}//1 {c + 1}//1" for a, b, c in FACES[:3]]
    lines += ["f -1 -2 -3", "f 1 2 3 4", "s off"]
    return [one("made.obj", "\n".join(lines))]


# --- models and results ----------------------------------------------------------------------


@cache
def _small_model() -> str:
    """A pendulum of two bodies with a muscle, a coupler, a wrap surface and meshes."""
    import tempfile

    from kneestride.model.osim import opensim as osim

    model = osim.Model()
    model.setName("pendulum")
    zero, up = osim.Vec3(0), osim.Vec3(0, 0.4, 0)
    parent = model.getGround()
    for name in ("femur_r", "tibia_r"):
        body = osim.Body(name, 5.0, zero, osim.Inertia(0.1, 0.1, 0.1))
        body.attachGeometry(osim.Mesh(f"{name}.vtp"))
        model.addBody(body)
        model.addJoint(osim.PinJoint(f"joint_{name}", parent, zero, zero, body, up, zero))
        parent = body
    joints = [model.updJointSet().get(k) for k in range(2)]
    for joint, name in zip(joints, ("hip_flexion_r", "knee_angle_r"), strict=True):
        joint.upd_coordinates(0).setName(name)
    muscle = osim.Millard2012EquilibriumMuscle("vasti_r", 1000.0, 0.1, 0.2, 0.05)
    first = model.getBodySet().get(0)
    muscle.addNewPathPoint("origin", first, osim.Vec3(0.03, 0, 0))
    muscle.addNewPathPoint("insertion", parent, osim.Vec3(0.03, 0.3, 0))
    model.addForce(muscle)
    model.addMarker(osim.Marker("RKNE", first, osim.Vec3(0, 0, 0.05)))
    model.finalizeConnections()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.osim"
        model.printToXML(str(path))
        return path.read_text(encoding="utf-8")


def osim() -> list[Seed]:
    """A pendulum; now and then the runner's own model."""
    from kneestride.paths_of_data import models_folder

    whole = (models_folder() / "kneestride_runner.osim").read_bytes()
    return [one("mine.osim", _small_model())] * 31 + [one("mine.osim", whole)]


def results() -> list[Seed]:
    """A results folder of a made-up analysis (no physics in it)."""
    from kneestride.results.folder import format_results

    made = _test_helper("results_samples").sample_results(frames=12)
    read = (".sto", ".mot", ".json", ".csv", ".osim")
    files = {
        f"results/{name}": text.encode()
        for name, text in format_results(made).items()
        if name.endswith(read) and "opensim_setup" not in name
    }
    broken = tuple(name for name in files if not name.endswith(".osim"))
    return [Seed(files, "results", broken)]


def _test_helper(name: str) -> ModuleType:
    """A module of tests/ that makes up data."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SEEDS: dict[str, Callable[[], list[Seed]]] = {
    "trc": trc, "c3d": c3d, "mot": mot, "keypoints-json": keypoints_json,
    "keypoints-csv": keypoints_csv, "marker-set": marker_set, "study": study,
    "storyboard": storyboard, "work": work, "scene": scene, "stored": stored, "osim": osim,
    "vtp": vtp, "stl": stl, "obj": obj, "results": results,
}  # fmt: skip
"""Formats and what makes their seeds."""
