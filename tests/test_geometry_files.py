"""Mesh files: the same triangles out of every way in, and words for what is no mesh."""

from __future__ import annotations

import base64
import lzma
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.errors import ResultsError
from kneestride.results.geometry_files import read_mesh, read_obj, read_stl
from kneestride.results.geometry_vtp import fans, read_vtp, strips

POINTS = np.array(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 1], [2, 0.25, 0.5]], dtype=float
)
QUAD, TRIANGLE, STRIP = [0, 1, 2, 3], [0, 1, 4], [1, 2, 5, 4]
WANTED = np.array([[0, 1, 2], [0, 2, 3], [0, 1, 4], [1, 2, 5], [2, 4, 5]])
"""A quadrilateral as a fan, a triangle, a strip whose second triangle is turned over."""


class Writer:
    """A VTK file by its specification: what VTK's own writer does, step by step."""

    def __init__(self, form, header="UInt32", order="LittleEndian", pack=None, block=40):
        self.form, self.header, self.pack, self.block = form, header, pack, block
        self.mark = "<" if order == "LittleEndian" else ">"
        self.order, self.blob = order, b""

    def numbers(self, values):
        return np.asarray(values, dtype=self.mark + "u" + self.header[-2:].replace(
            "32", "4").replace("64", "8")).tobytes()  # fmt: skip

    def encoded(self, data, text):
        """Header and data of one array, as base64 texts or raw."""
        as_text = base64.b64encode if text else bytes
        if self.pack is None:
            return as_text(self.numbers([len(data)]) + data)
        parts = [data[i : i + self.block] for i in range(0, len(data), self.block)]
        packed = [self.pack(p) for p in parts]
        last = len(parts[-1]) if len(parts[-1]) < self.block else 0
        head = self.numbers([len(parts), self.block, last, *map(len, packed)])
        return as_text(head) + as_text(b"".join(packed))

    def array(self, name, kind, values):
        code = {"Float32": "f4", "Float64": "f8", "Int32": "i4", "Int64": "i8"}[kind]
        start = f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="3"'
        if self.form == "ascii":
            text = " ".join(map(repr, np.ravel(values).tolist()))
            return f'{start} format="ascii">\n {text}\n</DataArray>'
        data = np.asarray(values, dtype=self.mark + code).tobytes()
        if self.form == "binary":
            return (
                f'{start} format="binary">\n{self.encoded(data, True).decode()}\n</DataArray>'
            )
        offset = len(self.blob)
        self.blob += self.encoded(data, self.form == "base64")
        return f'{start} format="appended" offset="{offset}"/>'

    def file(self, points=POINTS, point_kind="Float32", index_kind="Int64"):
        cells = ""
        for name, rows in (("Polys", [QUAD, TRIANGLE]), ("Strips", [STRIP])):
            corners = self.array("connectivity", index_kind, [i for row in rows for i in row])
            ends = self.array("offsets", index_kind, np.cumsum([len(r) for r in rows]))
            cells += f"<{name}>{corners}{ends}</{name}>"
        body = f"<Points>{self.array('Points', point_kind, points)}</Points>{cells}"
        names = {zlib.compress: "ZLib", lzma.compress: "LZMA"}
        packer = f' compressor="vtk{names[self.pack]}DataCompressor"' if self.pack else ""
        out = (
            f'<?xml version="1.0"?>\n<VTKFile type="PolyData" version="1.0" '
            f'byte_order="{self.order}" header_type="{self.header}"{packer}><PolyData>'
            f'<Piece NumberOfPoints="{len(points)}" NumberOfPolys="2" NumberOfStrips="1">'
            f"{body}</Piece></PolyData>"
        ).encode()
        if self.blob:
            kind = "base64" if self.form == "base64" else "raw"
            out += f'<AppendedData encoding="{kind}">\n_'.encode() + self.blob
            out += b"\n</AppendedData>"
        return out + b"</VTKFile>"


def _same_surface(found, points=POINTS, faces=WANTED, atol=1e-6):
    vertices, triangles = found

    def rows(values):
        turned = [np.roll(t, -int(np.lexsort(t.T)[0]), axis=0) for t in values]
        return np.array(sorted(np.round(turned, 5).reshape(-1, 9).tolist()))

    np.testing.assert_allclose(rows(vertices[triangles]), rows(points[faces]), atol=atol)


@pytest.mark.parametrize("order", ["LittleEndian", "BigEndian"])
@pytest.mark.parametrize("header", ["UInt32", "UInt64"])
@pytest.mark.parametrize("pack", [None, zlib.compress, lzma.compress])
@pytest.mark.parametrize("form", ["ascii", "binary", "base64", "raw"])
@pytest.mark.parametrize("kinds", [("Float32", "Int64"), ("Float64", "Int32")])
def test_every_encoding_gives_the_same_triangles(tmp_path, form, pack, header, order, kinds):
    path = tmp_path / "bone.vtp"
    path.write_bytes(Writer(form, header, order, pack).file(POINTS, *kinds))
    vertices, faces = read_vtp(path)
    np.testing.assert_allclose(vertices, POINTS, atol=1e-7)
    np.testing.assert_array_equal(faces, WANTED)
    _same_surface(read_mesh(path))


def test_raw_bytes_that_look_like_xml_do_no_harm(tmp_path):
    points = POINTS.copy()
    points[0] = np.frombuffer(b"</Ap<&_]", dtype="<f8")[0] * np.array([1, 1, 0])
    path = tmp_path / "bone.vtp"
    path.write_bytes(Writer("raw").file(points, "Float64"))
    np.testing.assert_allclose(read_vtp(path)[0], points)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(-1, 1, width=32), min_size=18, max_size=18),
    form=st.sampled_from(["ascii", "binary", "base64", "raw"]),
    block=st.integers(1, 64).map(lambda n: 4 * n),
)
def test_any_points_come_back_through_any_form(tmp_path_factory, values, form, block):
    points = np.array(values).reshape(6, 3)
    path = tmp_path_factory.mktemp("mesh") / "bone.vtp"
    path.write_bytes(Writer(form, pack=zlib.compress, block=block).file(points))
    np.testing.assert_array_equal(read_vtp(path)[0], points)


@given(sizes=st.lists(st.integers(0, 9), max_size=8))
def test_fans_and_strips_have_two_triangles_less_than_corners(sizes):
    corners = np.arange(sum(sizes))
    ends = np.cumsum(sizes, dtype=int) if sizes else np.zeros(0, dtype=int)
    wanted = sum(max(n - 2, 0) for n in sizes)
    assert len(fans(corners, ends)) == len(strips(corners, ends)) == wanted


def test_a_strips_triangles_all_face_one_way():
    flat = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]], dtype=float)
    faces = strips(np.arange(6), np.array([6]))
    a, b, c = (flat[faces[:, i]] for i in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (area < 0).all()


# --- STL and OBJ --------------------------------------------------------------------------


def _binary_stl(points, faces, head=b"solid that is binary all the same"):
    out = head.ljust(80) + struct.pack("<I", len(faces))
    for face in faces:
        out += struct.pack("<3f", 0, 0, 1) + points[face].astype("<f4").tobytes() + b"\0\0"
    return out


def _text_stl(points, faces):
    lines = ["solid bone"]
    for face in faces:
        lines += [" facet normal 0 0 1", "  outer loop"]
        lines += [f"   vertex {x!r} {y!r} {z!r}" for x, y, z in points[face].tolist()]
        lines += ["  endloop", " endfacet"]
    return "\n".join([*lines, "endsolid bone\n"]).encode()


@pytest.mark.parametrize("write", [_binary_stl, _text_stl])
def test_both_kinds_of_stl_give_the_same_triangles(tmp_path, write):
    path = tmp_path / "bone.STL"
    path.write_bytes(write(POINTS, WANTED))
    found = read_mesh(path)
    assert len(found[0]) == len(POINTS)
    _same_surface(found)


def test_obj_with_polygons_normals_and_indices_from_the_end(tmp_path):
    path = tmp_path / "bone.obj"
    rows = [f"v {x} {y} {z}" for x, y, z in POINTS.tolist()]
    path.write_text("\n".join(
        ["# a bone", "mtllib none.mtl", *rows[:5], "vn 0 0 1", "f 1//1 2//1 3//1 4//1",
         "f -5 -4/1 -1/1/1  # the triangle", rows[5], "g rest", "f 2 3 6", "f 3 5 6"]
    ))  # fmt: skip
    _same_surface(read_mesh(path))


# --- refusals -----------------------------------------------------------------------------

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE VTKFile [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><VTKFile type="PolyData">&b;</VTKFile>'
)


@pytest.mark.parametrize("content", [
    BOMB,
    b'<?xml version="1.0"?><!DOCTYPE V SYSTEM "file:///etc/hostname"><VTKFile/>',
])  # fmt: skip
def test_entities_and_document_types_are_refused(tmp_path, content):
    path = tmp_path / "bone.vtp"
    path.write_bytes(content)
    with pytest.raises(ResultsError, match="document type or entities"):
        read_vtp(path)


@pytest.mark.parametrize("form", ["ascii", "binary", "base64", "raw"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
def test_a_truncated_file_is_told_by_its_name(tmp_path, form, share):
    path = tmp_path / "femur.vtp"
    data = Writer(form, pack=zlib.compress).file()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ResultsError, match=r"femur\.vtp"):
        read_vtp(path)


def test_a_block_that_unpacks_to_more_than_it_says_is_refused(tmp_path):
    path = tmp_path / "bone.vtp"
    bomb = Writer("raw", pack=lambda part: zlib.compress(bytes(50_000_000)))
    writer = Writer("raw", pack=zlib.compress)
    writer.encoded = lambda data, text: bomb.encoded(data, text)
    path.write_bytes(writer.file())
    with pytest.raises(ResultsError, match="another length"):
        read_vtp(path)


def test_an_unknown_compression_is_named(tmp_path):
    path = tmp_path / "bone.vtp"
    data = Writer("binary", pack=zlib.compress).file()
    path.write_bytes(data.replace(b"vtkZLibDataCompressor", b"vtkLZ4DataCompressor"))
    with pytest.raises(ResultsError, match="vtkLZ4DataCompressor"):
        read_vtp(path)


def test_a_corner_that_names_no_point_is_refused(tmp_path):
    path = tmp_path / "bone.vtp"
    path.write_bytes(Writer("ascii").file().replace(b"0 1 2 3 0 1 4", b"0 1 2 3 0 1 9"))
    with pytest.raises(ResultsError, match="points that it does not have"):
        read_vtp(path)


@pytest.mark.parametrize("share", [0.2, 0.95])
@pytest.mark.parametrize("write", [_binary_stl, _text_stl])
def test_a_truncated_stl_is_refused(tmp_path, write, share):
    path = tmp_path / "bone.stl"
    data = write(POINTS, WANTED)
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ResultsError, match="cut short"):
        read_stl(path)


@pytest.mark.parametrize("line", ["f 1 2 99", "f 1 2 -99", "f 1 2 0", "v 1 2 x", "f a b c"])
def test_a_wrong_line_of_an_obj_is_refused(tmp_path, line):
    path = tmp_path / "bone.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n" + line)
    with pytest.raises(ResultsError, match=r"bone\.obj"):
        read_obj(path)


def test_another_ending_is_refused_with_those_that_are_read(tmp_path):
    with pytest.raises(ResultsError, match=r"Available: \.vtp, \.stl, \.obj"):
        read_mesh(tmp_path / "bone.ply")
