"""A hook of MkDocs: notebooks are run and become pages, with what they printed and drew.

`mkdocs build` runs `docs/notebooks/*.ipynb` in the order of their use, one after the other in
one folder, and fails with the notebook that fails. They are kept without outputs, so that
what a page shows was computed by this version. `mkdocs serve` shows them without running.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import MarkdownExporter

ORDER = ("analyse", "dose_response", "compare")
FOLDER = "KNEESTRIDE_NOTEBOOKS"
"""Environment variable: where the notebooks work; a temporary folder when it is not set."""
SECONDS = 600
"""That one cell may take; a busy machine is slow."""
INLINE = "module://matplotlib_inline.backend_inline"
"""Draws into the page, whatever the tests around ask for."""

_running = True


def on_startup(command: str, dirty: bool) -> None:
    """Run notebooks for a site that is kept, not for one that is being written."""
    global _running
    _running = command == "build"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page, and its pictures, for each notebook."""
    with TemporaryDirectory() as temporary:
        work = Path(os.environ.get(FOLDER) or temporary)
        work.mkdir(parents=True, exist_ok=True)
        for name in ORDER:
            notebook = nbformat.read(
                Path(config.docs_dir) / "notebooks" / f"{name}.ipynb", as_version=4
            )
            if _running:
                run(notebook, name, work)
            for file in pages(notebook, name, config):
                files.append(file)
    return files


def run(notebook: nbformat.NotebookNode, name: str, work: Path) -> None:
    """Run a notebook in a folder.

    Raises
    ------
    PluginError
        A cell failed; its traceback is in the message.
    """
    begin = time.perf_counter()
    client = NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": work}})
    try:
        # One worker: starting a second process costs more than such small work gains.
        client.execute(env={**os.environ, "KNEESTRIDE_WORKERS": "1", "MPLBACKEND": INLINE})
    except CellExecutionError as error:
        raise PluginError(f"docs/notebooks/{name}.ipynb: {error}") from error
    print(f"notebook {name}: {time.perf_counter() - begin:.1f} s")


def pages(notebook: nbformat.NotebookNode, name: str, config: MkDocsConfig) -> list[File]:
    """A notebook as Markdown and pictures."""
    exporter = MarkdownExporter()
    stem = f"notebooks/{name}"
    text, about = exporter.from_notebook_node(notebook, {"output_files_dir": f"{name}_files"})
    drawn: dict[str, Any] = about["outputs"]
    for picture in drawn:
        text = text.replace(f"![png]({picture})", f"![What this cell draws]({picture})")
    text += f"\n\n[Download this notebook]({name}.ipynb)\n"
    return [
        File.generated(config, f"{stem}.md", content=text),
        *(File.generated(config, f"notebooks/{p}", content=c) for p, c in drawn.items()),
    ]
