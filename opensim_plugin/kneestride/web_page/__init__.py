"""One web page that needs nothing else: the GLB, a viewer, a slider, the loads.

The viewer is Google's <model-viewer>. Its bundle comes out of the installed package
`dash-model-viewer` (extra `html`), which carries it unchanged; it is read as a file, so
nothing else of that package is needed or run. The page's own script (`page.js`) moves the
time line and reads the patches' colours from the GLB's KHR_animation_pointer channels,
which the viewer does not play by itself. The page forbids itself every connection.
"""

from __future__ import annotations

import base64
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path

from ..errors import ResultsError

PACKAGE, BUNDLE = "dash_model_viewer", "vendor/model-viewer-umd.min.js"
_HERE = Path(__file__).resolve().parent


def viewer_bundle() -> Path:
    """Where the viewer's script lies.

    Raises
    ------
    ResultsError
        The package that carries it is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    for place in found.submodule_search_locations or () if found is not None else ():
        if (Path(place) / BUNDLE).is_file():
            return Path(place) / BUNDLE
    raise ResultsError(
        "the viewer for web pages (package dash-model-viewer)",
        "an environment without it",
        "install kneestride with the extra 'html', or write a .glb",
    )


def write_page(out: Path, glb: Path, told: Mapping[str, object]) -> Path:
    """Write the page.

    Parameters
    ----------
    out : the .html to write; replaced in one step
    glb : the model as `kneestride animate` writes it
    told : the add-on's `page_data`
    """
    from jinja2 import Environment

    source = (_HERE / "page.html").read_text(encoding="utf-8")
    page = Environment(autoescape=True, keep_trailing_newline=True).from_string(source)
    # Within a script element only "<" could end it, and JSON may write it otherwise.
    data = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    viewer = viewer_bundle().read_text(encoding="utf-8").replace("</script", "<\\/script")
    text = page.render(
        told=told,
        data=data,
        viewer=viewer,
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        script=(_HERE / "page.js").read_text(encoding="utf-8"),
        model=base64.b64encode(glb.read_bytes()).decode("ascii"),
    )
    part = out.with_name(out.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(out)
    return out
