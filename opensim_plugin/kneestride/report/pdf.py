"""The report as a PDF of at most four A4 pages, without a browser.

Drawn with fpdf2 (pure Python) in the DejaVu fonts that come with matplotlib. The patient
has the first page, the clinician up to two, methods the last. What does not fit at the
usual size is set smaller, so that four pages hold whatever an analysis found.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ResultsError
from .content import CITATIONS, Picture, Report
from .side_tables import Line, Table

if TYPE_CHECKING:
    from fpdf import FPDF

MOST_PAGES = 4
SIZES = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7)
"""Factors on the font size, tried in this order until the pages suffice."""
MARGIN, WIDTH, PICTURE = 15.0, 180.0, 84.0
"""mm; the last is the height of the patient's pictures."""
_INK, _GREY, _ACCENT, _TINT = (34, 40, 47), (86, 95, 104), (194, 71, 15), (251, 238, 230)
_VERDICTS = {"look": (138, 90, 0), "fail": (170, 17, 17), "pass": (34, 104, 59)}
_DPI = 200


def render_pdf(report: Report) -> bytes:
    """Return a report as the bytes of a PDF file; the same report gives the same bytes.

    Raises
    ------
    ResultsError
        fpdf2 is not installed.
    """
    pngs = {p.name: _png(p) for p in (*report.pictures, report.curves) if p is not None}
    sheet = _draw(report, pngs, SIZES[0])
    for size in SIZES[1:]:
        if sheet.pdf.page <= MOST_PAGES:
            break
        sheet = _draw(report, pngs, size)
    return bytes(sheet.pdf.output())


def _draw(report: Report, pngs: dict[str, bytes], size: float) -> _Sheet:
    sheet = _Sheet(_new(report), size, report)
    _patient(sheet, report, pngs)
    _clinician(sheet, report, pngs)
    _methods(sheet, report)
    return sheet


def _new(report: Report) -> FPDF:
    try:
        from fpdf import FPDF
    except ImportError as error:
        raise ResultsError(
            "the package fpdf2, which writes PDF files",
            "a Python without it",
            "install kneestride[report], or write an .html file and print it",
        ) from error
    import matplotlib

    say = report.words

    class Page(FPDF):
        def footer(self) -> None:
            self.set_y(-11)
            self.set_font("sans", size=7)
            self.set_text_color(*_GREY)
            self.cell(0, 4, say("methods.not_device"))
            self.set_x(MARGIN)
            self.cell(0, 4, str(self.page_no()), align="R")

    pdf = Page(format="A4")
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    pdf.add_font("sans", "", fonts / "DejaVuSans.ttf")
    pdf.add_font("sans", "B", fonts / "DejaVuSans-Bold.ttf")
    pdf.set_margins(MARGIN, 14, MARGIN)
    pdf.set_auto_page_break(True, 14)
    pdf.set_title(f"{report.patient.title}: {report.trial}")
    pdf.set_lang(say.language)
    pdf.set_creator("kneestride")
    pdf.set_producer("kneestride")
    # With a date of its own the same report would be another file every time.
    pdf.set_creation_date(datetime.fromtimestamp(0.0, UTC))
    return pdf


@dataclass
class _Sheet:
    """The document with the few kinds of text that a report has; sizes in points."""

    pdf: FPDF
    size: float
    report: Report

    def page(self, title: str) -> None:
        self.pdf.add_page()
        self.text(title, 19, style="B", after=1.5)

    def heading(self, title: str, before: float = 2.5) -> None:
        self.pdf.ln(before * self.size)
        self.text(title, 11, style="B", colour=_ACCENT, after=0.8)

    def text(
        self,
        text: str,
        points: float = 9.0,
        style: str = "",
        colour: tuple[int, int, int] = _INK,
        after: float = 1.0,
        indent: float = 0.0,
        width: float = 0.0,
    ) -> None:
        pdf, points = self.pdf, points * self.size
        pdf.set_font("sans", style, points)
        pdf.set_text_color(*colour)
        pdf.set_x(MARGIN + indent)
        pdf.multi_cell(width or WIDTH - indent, points * 0.3528 * 1.38, text, align="L",
                       new_x="LMARGIN", new_y="NEXT")  # fmt: skip
        pdf.ln(after * self.size)

    def bullet(self, text: str, points: float) -> None:
        pdf = self.pdf
        pdf.set_font("sans", "", points * self.size)
        pdf.set_text_color(*_ACCENT)
        y = pdf.get_y()
        pdf.cell(5, points * self.size * 0.3528 * 1.38, "•")
        pdf.set_y(y)
        self.text(text, points, indent=5, after=0.9)

    def banner(self, lines: Sequence[str], points: float = 8.5) -> None:
        pdf = self.pdf
        pdf.set_font("sans", "", points * self.size)
        pdf.set_text_color(*_INK)
        pdf.set_fill_color(*_TINT)
        for line in lines:
            pdf.multi_cell(
                WIDTH, points * self.size * 0.3528 * 1.6, line, align="L", fill=True,
                new_x="LMARGIN", new_y="NEXT", padding=(0, 2),
            )  # fmt: skip
        pdf.ln(1.0)

    def pairs(self, pairs: Sequence[tuple[str, str]], label: float = 40.0) -> None:
        for name, value in pairs:
            points = 8.5 * self.size
            y = self.pdf.get_y()
            self.pdf.set_font("sans", "", points)
            self.pdf.set_text_color(*_GREY)
            self.pdf.multi_cell(label - 2, points * 0.3528 * 1.38, name, align="L",
                                new_x="LMARGIN", new_y="NEXT")  # fmt: skip
            below = self.pdf.get_y()
            self.pdf.set_y(y)
            self.text(value, 8.5, indent=label, after=0.0)
            self.pdf.set_y(max(below, self.pdf.get_y()) if self.pdf.get_y() > y else below)
        self.pdf.ln(1.0)

    def table(self, widths: Sequence[float], aligns: Sequence[str], points: float = 7.5) -> Any:
        from fpdf.enums import TableBordersLayout
        from fpdf.fonts import FontFace

        self.pdf.set_font("sans", "", points * self.size)
        self.pdf.set_text_color(*_INK)
        self.pdf.set_fill_color(255, 255, 255)
        self.pdf.set_draw_color(205, 210, 214)
        self.pdf.set_line_width(0.15)
        return self.pdf.table(
            col_widths=tuple(widths),
            text_align=tuple(aligns),
            width=round(sum(widths), 3),
            line_height=points * self.size * 0.3528 * 1.5,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", color=_INK),
            padding=0.25,
            align="L",
        )


def _patient(sheet: _Sheet, report: Report, pngs: dict[str, bytes]) -> None:
    say, pdf = report.words, sheet.pdf
    sheet.page(report.patient.title)
    lead = list(report.patient.lead)
    if report.simulated:
        sheet.banner([lead.pop(0)], 11)
    for line in lead:
        sheet.text(line, 11, after=1.2)
    top = pdf.get_y() + 2
    each = 87.0
    bottom = top
    for k, picture in enumerate(report.pictures):
        x = MARGIN + k * (WIDTH - each)
        pdf.set_xy(x, top)
        pdf.set_font("sans", "B", 11 * sheet.size)
        pdf.set_text_color(*_ACCENT)
        pdf.cell(each, 6, picture.title)
        width, height = picture.figure.get_size_inches()
        tall = min(each * height / width, PICTURE)
        pdf.image(io.BytesIO(pngs[picture.name]), x + (each - tall * width / height) / 2,
                  top + 7, h=tall, alt_text=picture.title)  # fmt: skip
        pdf.set_xy(x, top + 8 + PICTURE)
        pdf.set_font("sans", "", 8 * sheet.size)
        pdf.set_text_color(*_GREY)
        pdf.multi_cell(each, 3.9, picture.note, align="L", new_y="NEXT")
        bottom = max(bottom, pdf.get_y())
    pdf.set_xy(MARGIN, bottom)
    sheet.heading(say("patient.findings"))
    for line in report.patient.findings:
        sheet.bullet(line, 10.5)
    sheet.heading(say("patient.meaning"))
    for line in report.patient.meaning:
        sheet.text(line, 10.5)


def _clinician(sheet: _Sheet, report: Report, pngs: dict[str, bytes]) -> None:
    say, pdf = report.words, sheet.pdf
    sheet.page(say("clinician.title"))
    sheet.text(say("clinician.estimate"), 8.5, colour=_GREY)
    if report.simulated:
        sheet.banner([say("clinician.simulated")])
    classes = [
        (label, f"{say('right')}: {right}; {say('left')}: {left}")
        for label, right, left in report.classes
    ]
    sheet.pairs([*report.facts, *classes])
    if report.warnings:
        sheet.banner(
            [f"{say('clinician.read_first')}:", *(f"• {w}" for w in report.warnings)], 8
        )
    if report.tables:
        _figures(sheet, report.tables, report)
    pdf.ln(1)
    for note in report.notes:
        sheet.text(note, 7.5, colour=_GREY)
    if report.curves is not None:
        width, height = report.curves.figure.get_size_inches()
        tall = WIDTH * height / width * min(1.0, sheet.size + 0.1)
        if pdf.get_y() + tall + 14 > 283:
            pdf.add_page()
        sheet.heading(report.curves.title)
        top = pdf.get_y()
        pdf.image(io.BytesIO(pngs["curves"]), MARGIN, top, h=tall,
                  alt_text=report.curves.title)  # fmt: skip
        pdf.set_y(top + tall)
        sheet.text(report.curves.note, 7.5, colour=_GREY)
    if report.changes is not None:
        _changes(sheet, report)
    sheet.heading(say("clinician.quality"))
    sheet.pairs(report.quality, 52)
    if report.checks:
        with sheet.table((40, 18, 122), ("LEFT", "LEFT", "LEFT")) as table:
            row = table.row()
            for key in ("check", "verdict", "sentence"):
                row.cell(say(f"clinician.{key}"))
            for check in report.checks:
                row = table.row()
                row.cell(check.title)
                row.cell(check.verdict, style=_face(_VERDICTS.get(check.kind, _INK), True))
                row.cell(check.sentence)


def _figures(sheet: _Sheet, tables: Sequence[Table], report: Report) -> None:
    say = report.words
    sure = any(line.sure for table in tables for line in table.lines)
    names = [say("clinician.quantity"), "", say("Right"), say("Left")]
    widths = [57.0, 9.0, 37.0, 37.0]
    if report.compared:
        names, widths = [*names, say("clinician.usual")], [*widths, 25.0]
    names, widths = [*names, say("clinician.difference")], [*widths, 15.0]
    aligns = ("LEFT", "LEFT", *("RIGHT",) * (len(names) - 2))
    with sheet.table(widths, aligns) as table:
        row = table.row()
        for text in names:
            row.cell(text)
        for part in tables:
            row = table.row()
            row.cell(part.title, colspan=len(names), style=_face(_ACCENT, True))
            for line in part.lines:
                _line(table.row(), line, report.compared)
    loads = [line for table in tables for line in table.lines if line.sure]
    if sure:
        sheet.pdf.ln(1.5)
        with sheet.table((58.0, 10.0, 56.0, 56.0), ("LEFT", "LEFT", "RIGHT", "RIGHT")) as table:
            row = table.row()
            for text in (say("clinician.table_loads"), "", say("clinician.interval_right"),
                         say("clinician.interval_left")):  # fmt: skip
                row.cell(text)
            for line in loads:
                row = table.row()
                for text in (line.name, line.unit, *line.intervals):
                    row.cell(text)


def _line(row: Any, line: Line, compared: bool) -> None:
    row.cell(line.name)
    row.cell(line.unit)
    for cell in line.cells:
        interval = f" ({cell.interval})" if cell.interval else ""
        row.cell(f"{cell.mark} {cell.median}{interval}".strip())
    if compared:
        row.cell(line.usual)
    row.cell(line.difference, style=_face(_INK, line.distinct))


def _changes(sheet: _Sheet, report: Report) -> None:
    changes, say = report.changes, report.words
    assert changes is not None
    sheet.heading(changes.title)
    columns = len(changes.columns)
    each = min(32.0, 112.0 / columns)
    widths = (44.0, 13.0, 10.0, *(each,) * columns)
    with sheet.table(widths, ("LEFT", "LEFT", "LEFT", *("RIGHT",) * columns), 7) as table:
        row = table.row()
        for text in (say("clinician.quantity"), "", "", *changes.columns):
            row.cell(text)
        for line in changes.lines:
            row = table.row()
            for text in (line.name, line.side, line.unit):
                row.cell(text)
            for cell in line.cells:
                text = f"{cell.change}\n({cell.interval})" if cell.interval else cell.change
                row.cell(text, style=_face(_INK, cell.distinct))
    sheet.pdf.ln(1)
    sheet.text(changes.note, 7.5, colour=_GREY)


def _methods(sheet: _Sheet, report: Report) -> None:
    say = report.words
    sheet.page(say("methods.title"))
    for title, text in report.methods:
        sheet.heading(title, 1.5)
        sheet.text(text, 8.5)
    sheet.heading(say("methods.provenance"), 1.5)
    settings = "; ".join(f"{n}: {v}" for n, v in report.settings)
    sheet.pairs(
        [
            *((f"{say('methods.model')} {n}", d) for n, d in report.model),
            *report.inputs,
            (say("methods.versions"), report.versions),
            (say("methods.settings"), settings or say("methods.settings_default")),
        ],
        52,
    )
    sheet.heading(say("methods.citations"), 1.5)
    for line in CITATIONS:
        sheet.bullet(line, 8)
    sheet.text(say("methods.licence"), 8, colour=_GREY)


def _face(colour: tuple[int, int, int], bold: bool) -> Any:
    from fpdf.fonts import FontFace

    return FontFace(emphasis="BOLD" if bold else None, color=colour)


def _png(picture: Picture) -> bytes:
    raster = io.BytesIO()
    picture.figure.savefig(raster, format="png", dpi=_DPI, metadata={"Software": None})
    return raster.getvalue()
