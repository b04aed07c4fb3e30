"""The main window: four pages, menus, dropped files, saved work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QSettings, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QFileDialog,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QTabWidget,
)

from ..errors import KneestrideError
from ..report.words import LANGUAGES, Language, Words
from .capture_page import CapturePage
from .fields import FileField
from .jobs import Job
from .messages import message_of, told_message
from .more_pages import ComparePage, WhatIfPage
from .reading import Shown, open_results, picture_summary
from .results_page import ResultsPage
from .texts import Texts
from .work import SUFFIX, Work, field_of, open_work, save_work

RECENT = 8


class Window(QMainWindow):
    """The app.

    Parameters
    ----------
    settings : QSettings, recent files and language
    """

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self.settings = settings
        self.path: Path | None = None
        self.exports: list[Job] = []
        self.shown: Shown | None = None
        self.setAcceptDrops(True)
        stored = str(settings.value("language", "en"))
        self.language: Language = "de" if stored == "de" else "en"
        self.told = QLabel("", wordWrap=True)
        self.told.setObjectName("told")
        self.statusBar().addWidget(self.told, 1)
        self._build()
        self.resize(1280, 800)

    # --- building

    def _build(self) -> None:
        self.texts, self.words = Texts(self.language), Words(self.language)
        t = self.texts
        self.capture = CapturePage(t)
        self.results = ResultsPage(t, self.words)
        self.what_if = WhatIfPage(t, self.words)
        self.compare = ComparePage(t, self.words)
        self.pages = QTabWidget()
        self.pages.setObjectName("pages")
        pages = (("page_capture", self.capture), ("page_results", self.results),
                 ("page_what_if", self.what_if), ("page_compare", self.compare))  # fmt: skip
        for key, page in pages:
            self.pages.addTab(page, t(key))
        self.setCentralWidget(self.pages)
        self.capture.analysed.connect(self.open_results)
        self.capture.edited.connect(self._edited)
        self.capture.example.clicked.connect(self.make_example)
        self._menus()
        self._title()

    def _menus(self) -> None:
        t, bar = self.texts, self.menuBar()
        bar.clear()
        file = bar.addMenu(t("menu_file"))
        self._action(file, "open", QKeySequence.Open, self._open_dialog)
        self.recent = file.addMenu(t("recent"))
        self._show_recent()
        self._action(file, "open_results", "Ctrl+Shift+O", self._results_dialog)
        self._action(file, "save", QKeySequence.Save, self.save)
        self._action(file, "save_as", "Ctrl+Shift+S", self.save_as)
        file.addSeparator()
        self._action(file, "export_report", "Ctrl+E", self._report_dialog)
        self._action(file, "export_data", "", self._data_dialog)
        self._action(file, "export_scene", "", self._scene_dialog)
        file.addSeparator()
        self._action(file, "quit", QKeySequence.Quit, self.close)
        run = bar.addMenu(t("menu_run"))
        self._action(run, "run", "Ctrl+R", self._run)
        self._action(run, "cancel", "Esc", self.cancel)
        view = bar.addMenu(t("menu_view"))
        for k in range(self.pages.count()):
            page = QAction(self.pages.tabText(k), self)
            page.setShortcut(f"Ctrl+{k + 1}")
            page.triggered.connect(lambda _, n=k: self.pages.setCurrentIndex(n))
            view.addAction(page)
        view.addSeparator()
        for language in LANGUAGES:
            action = QAction({"en": "English", "de": "Deutsch"}[language], self)
            action.setCheckable(True)
            action.setChecked(language == self.language)
            action.triggered.connect(lambda _, x=language: self.speak(x))
            view.addAction(action)
        about = bar.addMenu(t("menu_help"))
        self._action(about, "about", "F1", self._about)

    def _action(
        self, menu: QMenu, key: str, shortcut: Any, do: Callable[[], object]
    ) -> QAction:
        action = QAction(self.texts(f"do_{key}"), self)
        action.setObjectName(key)
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
        action.triggered.connect(lambda *_: do())
        menu.addAction(action)
        return action

    def speak(self, language: Language) -> None:
        """Change the language; what was entered stays."""
        if any(p.job is not None for p in (self.capture, self.what_if, self.compare)):
            self.say(self.texts("busy"))
            self._menus()
            return
        work, page = self.work(), self.pages.currentIndex()
        self.language = language
        self.settings.setValue("language", language)
        self.capture.stop()
        self.say("")
        self._build()
        self._put(work)
        self.pages.setCurrentIndex(page)

    # --- the work

    def work(self) -> Work:
        """Everything that is set up."""
        held = self.capture.work()
        return replace(held, compare=self.compare.other.value)

    def _put(self, work: Work) -> None:
        self.capture.put(work)
        self.compare.other.put(work.compare)
        if work.results and (Path(work.results) / "summary.json").is_file():
            self.open_results(work.results, go=False)

    def _edited(self) -> None:
        self.setWindowModified(True)

    def _title(self) -> None:
        name = self.path.name if self.path else self.texts("unsaved")
        self.setWindowTitle(f"{name}[*] · kneestride")

    def say(self, message: str) -> None:
        """Tell something in the line at the bottom."""
        self.told.setText(message)

    def open_path(self, path: Path) -> None:
        """Open a work, a results folder or a file of a capture."""
        self.take([path])

    def take(self, paths: list[Path]) -> None:
        """Sort dropped or chosen files into their fields."""
        for path in paths:
            name = field_of(path)
            if name == "work":
                self._open_work(path)
            elif name == "results":
                self.open_results(str(path))
                if self.shown is not None and self.shown.folder == path:
                    self.capture.results.put(str(path))
            else:
                if name == "static" and len(paths) == 1 and not self.capture.trial.value:
                    name = "trial"  # alone it may be what one wants to look at
                self.pages.setCurrentWidget(self.capture)
                field = getattr(self.capture, name)
                assert isinstance(field, FileField)
                field.take(str(path))

    def _open_work(self, path: Path) -> None:
        try:
            work = open_work(path)
        except KneestrideError as error:
            self.say(f"✗ {message_of(error, self.texts)}")
            return
        self.path = path
        self._put(work)
        self._remember(path)
        self.setWindowModified(False)
        self._title()

    def save(self) -> bool:
        """Save the work where it was; else ask where."""
        if self.path is None:
            return self.save_as()
        return self.save_to(self.path)

    def save_as(self) -> bool:
        """Ask where to save the work."""
        path, _ = QFileDialog.getSaveFileName(
            self, self.texts("do_save_as"), str(self._start() / f"run{SUFFIX}"), f"*{SUFFIX}"
        )
        return self.save_to(Path(path)) if path else False

    def save_to(self, path: Path) -> bool:
        """Save the work; whether that succeeded."""
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        try:
            save_work(path, self.work())
        except KneestrideError as error:
            self.say(f"✗ {message_of(error, self.texts)}")
            return False
        self.path = path
        self._remember(path)
        self.setWindowModified(False)
        self._title()
        self.say(self.texts("saved", name=path.name))
        return True

    def _start(self) -> Path:
        value = self.capture.trial.value
        return Path(value).parent if value else Path.home()

    def recent_files(self) -> list[str]:
        """Works that were opened or saved last, newest first."""
        found = self.settings.value("recent", [])
        return [found] if isinstance(found, str) else list(found or [])

    def _remember(self, path: Path) -> None:
        names = [str(path), *(n for n in self.recent_files() if n != str(path))][:RECENT]
        self.settings.setValue("recent", names)
        self._show_recent()

    def _show_recent(self) -> None:
        self.recent.clear()
        for name in self.recent_files():
            action = QAction(Path(name).name, self)
            action.setToolTip(name)
            action.triggered.connect(lambda _, n=name: self._open_work(Path(n)))
            self.recent.addAction(action)
        self.recent.setEnabled(bool(self.recent_files()))

    # --- results

    def open_results(self, folder: str, go: bool = True) -> None:
        """Show a results folder on every page."""
        picture = picture_summary(Path(folder))
        if picture is not None:
            self.shown = None
            self.results.show_picture(picture)
            if go:
                self.pages.setCurrentWidget(self.results)
            return
        QApplication.setOverrideCursor(Qt.WaitCursor)
        try:
            self.shown = open_results(Path(folder), self.words)
        except KneestrideError as error:
            self.capture.tell(message_of(error, self.texts), "results")
            self.say(f"✗ {message_of(error, self.texts)}")
            return
        finally:
            QApplication.restoreOverrideCursor()
        self.results.show_results(self.shown)
        self.what_if.show_results(Path(folder))
        self.compare.show_results(self.shown)
        if go:
            self.pages.setCurrentWidget(self.results)

    def make_example(self) -> None:
        """Ask for a folder and record the reference runner into it."""
        folder = QFileDialog.getExistingDirectory(self, self.texts("example_where"))
        if folder:
            self.capture.make_example(str(Path(folder) / "kneestride-example"))

    def _run(self) -> None:
        self.pages.setCurrentWidget(self.capture)
        self.capture.run()

    def cancel(self) -> None:
        """Stop whatever works."""
        self.capture.cancel()
        self.what_if.stop()
        self.compare.stop()
        for job in self.exports:
            job.cancel()

    # --- exports

    def export(self, kind: str, out: str) -> None:
        """Write a report, the data or a scene in a process of its own."""
        if self.shown is None:
            self.say(self.texts("no_results"))
            return
        asked = {
            "kind": kind,
            "results": str(self.shown.folder),
            "out": out,
            "compare": self.compare.other.value,
            "language": self.language,
        }
        job = Job(asked, self)
        self.exports.append(job)
        self.say(self.texts("writing", name=Path(out).name))
        job.done.connect(lambda answer: self.say(self.texts("written", name=answer["file"])))
        job.refused.connect(lambda e, _: self.say(f"✗ {told_message(e, self.texts)}"))
        job.crashed.connect(lambda said: self.say(self.texts("crashed", said=said)))
        job.cancelled.connect(lambda: self.say(self.texts("cancelled")))
        job.ended.connect(lambda: self.exports.remove(job))

    def _ask(self, kind: str, name: str, pattern: str) -> None:
        if self.shown is None:
            self.say(self.texts("no_results"))
            return
        out, _ = QFileDialog.getSaveFileName(
            self, self.texts(f"do_export_{kind}"), str(self._start() / name), pattern
        )
        if out:
            self.export(kind, out)

    def _report_dialog(self) -> None:
        self._ask("report", "report.html", "HTML (*.html);;PDF (*.pdf)")

    def _data_dialog(self) -> None:
        self._ask("data", "data.zip", "ZIP (*.zip)")

    def _scene_dialog(self) -> None:
        self._ask("scene", "scene.blend", "Blender (*.blend);;kneestride (*.npz);;glTF (*.glb)")

    # --- dialogs and events

    def _open_dialog(self) -> None:
        pattern = f"kneestride (*{SUFFIX} *.c3d *.trc *.json *.csv *.mot *.sto)"
        names, _ = QFileDialog.getOpenFileNames(
            self, self.texts("do_open"), str(self._start()), pattern
        )
        self.take([Path(n) for n in names])

    def _results_dialog(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.texts("do_open_results"))
        if folder:
            self.take([Path(folder)])

    def _about(self) -> None:
        QMessageBox.information(self, "kneestride", self.texts("about_text"))

    def dragEnterEvent(self, event: Any) -> None:  # noqa: N802, D102
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:  # noqa: N802, D102
        paths = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        # The capture comes first: it clears corrections of an earlier one.
        self.take(sorted(paths, key=lambda p: field_of(p) != "trial"))
        event.acceptProposedAction()

    def closeEvent(self, event: Any) -> None:  # noqa: N802, D102
        if self.isWindowModified() and self.capture.trial.value and not self._may_close():
            event.ignore()
            return
        self.capture.stop()
        for job in [*self.exports, self.what_if.job, self.compare.job]:
            if job is not None:
                job.blockSignals(True)
                job.process.terminate()
                job.process.waitForFinished(2000)
        event.accept()

    def _may_close(self) -> bool:
        answer = QMessageBox.question(
            self, "kneestride", self.texts("save_first"),
            QMessageBox.Save | QMessageBox.Discard | QMessageBox.Cancel,
        )  # fmt: skip
        if answer == QMessageBox.Save:
            return self.save()
        return bool(answer == QMessageBox.Discard)
