"""The report as one self-contained HTML page.

No script, no font and no picture from elsewhere: the page can be mailed and opened
anywhere, and the same results give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .content import CITATIONS, Picture, Report, build_report
from .template import TEMPLATE

if TYPE_CHECKING:
    from ..results.folder import Results


def render_page(results: Results, summary: Mapping[str, Any]) -> str:
    """Return the report of an analysis as one HTML text, in English.

    Parameters
    ----------
    results : Results
    summary : mapping, as `results.summary.build_summary` returns it
    """
    return render_report(build_report(results, summary))


def render_report(report: Report) -> str:
    """Return a report as one HTML text."""
    from jinja2 import Environment
    from markupsafe import Markup

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)

    def svg(picture: Picture) -> Markup:
        # What a person typed never reaches a drawing: only our words and figures do.
        return Markup(svg_of(picture))

    return environment.from_string(TEMPLATE).render(r=report, svg=svg, citations=CITATIONS)


def svg_of(picture: Picture) -> str:
    """The drawing as SVG that may stand in a page: text as text, names of its own."""
    import matplotlib

    # A fixed salt and no date: the same results give the same page.
    salt = f"kneestride {picture.name}"
    with matplotlib.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        text = io.StringIO()
        picture.figure.savefig(text, format="svg", metadata={"Date": None})
    whole = text.getvalue()
    svg = whole[whole.index("<svg") :]
    # RDF and namespaced attributes are no HTML; the page says what is in them anyway.
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Names like `axes_1` would stand twice in a page of several drawings.
    svg = re.sub(r'\bid="', f'id="{picture.name}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{picture.name}-", svg)
    role = f'<svg role="img" aria-label="{picture.title}" '
    return svg.replace("<svg ", role, 1)
