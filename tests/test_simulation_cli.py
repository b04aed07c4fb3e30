"""`kneestride simulate`: calls that cannot work end with one message and status 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from kneestride.cli import main


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a call that is refused."""
    assert main(["simulate", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.strip()


def test_neither_results_nor_reference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(["--out", str(tmp_path / "a")], capsys) == (
        "kneestride: Expected either a results folder or --reference. Found neither. Give the "
        "folder that kneestride analyse wrote, or --reference."
    )
    assert not (tmp_path / "a").exists()


def test_both_results_and_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused([str(tmp_path), "--reference", "--out", str(tmp_path / "a")], capsys)
    assert "Found both." in message


def test_unknown_stride(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(
        [str(tmp_path), "--stride", "varus", "--out", str(tmp_path / "a")], capsys
    )
    assert "Available: valgus, neutral, knee-out, crossover, all." in message


def test_unknown_leg(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused([str(tmp_path), "--side", "left", "--out", str(tmp_path / "a")], capsys)
    assert message == (
        "kneestride: Expected a leg. Found 'left'. Available: r, l, both. Correct --side."
    )


def test_folder_that_is_no_results_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused([str(tmp_path), "--out", str(tmp_path / "a")], capsys)
    assert "Expected a results folder with summary.json." in message
    assert not (tmp_path / "a").exists()


def test_a_folder_with_other_files_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    message = refused([str(tmp_path), "--overwrite", "--out", str(tmp_path)], capsys)
    assert "only results folders are replaced" in message
    assert (tmp_path / "mine.txt").read_text() == "keep"
