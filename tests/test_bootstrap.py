"""The set-up script: finds the right Python, says what is missing, and is instant when done."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "bootstrap.py"
LOCKS = [ROOT / f"requirements{part}.lock" for part in ("", "-blender", "-html", "-docs")]


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    sys.modules.pop("bootstrap", None)
    import bootstrap  # type: ignore[import-not-found]

    return bootstrap  # type: ignore[no-any-return]


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("audit_dependencies")


@pytest.fixture
def project(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the script at an empty project and record what it would run."""
    for name in (*(lock.name for lock in LOCKS), "pyproject.toml"):
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / ".python-version").write_text("{}.{}\n".format(*sys.version_info[:2]))
    (tmp_path / "tests").mkdir()
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    commands: list[list[str]] = []

    def run(command: list[object], **_: str) -> int:
        words = [str(word) for word in command]
        commands.append(words)
        if "venv" in words:
            python = bootstrap.venv_python(tmp_path / ".venv")
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)
        return 0

    class Child:
        """A started command; `waited` tells the order of things."""

        def __init__(self, command: list[object]) -> None:
            commands.append(["started", *(str(word) for word in command)])

        def wait(self) -> None:
            commands.append(["waited"])

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "start", Child)
    monkeypatch.setattr(bootstrap, "commands", commands, raising=False)
    return tmp_path


def test_only_the_standard_library_is_imported() -> None:
    imported = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= sys.stdlib_module_names


def test_every_locked_package_is_pinned_and_hashed() -> None:
    for lock in LOCKS:
        entries = [e for e in re.split(r"\n(?=\S)", lock.read_text()) if not e.startswith("#")]
        assert entries
        for entry in entries:
            assert re.match(r"[a-z0-9._-]+==\S+ \\\n", entry), entry.splitlines()[0]
            assert "--hash=sha256:" in entry


def test_the_locks_name_no_host_and_no_place() -> None:
    for lock in LOCKS:
        text = lock.read_text()
        for word in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", "/"):
            assert word not in text, word


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    base = [*project["project"]["dependencies"], *extras["test"], *extras["app"]]
    base += project["build-system"]["requires"]
    parts = (base, extras["blender"], extras["html"], extras["docs"])
    for wanted, lock in zip(parts, LOCKS, strict=True):
        locked = {
            line.split("==")[0].replace("_", "-")
            for line in lock.read_text().splitlines()
            if "==" in line and not line.startswith(" ")
        }
        names = {re.split(r"[<>=!~\[ ]", text)[0].lower().replace("_", "-") for text in wanted}
        assert names <= locked


def test_a_machine_without_the_right_python_gets_one_line_saying_what_to_install(
    bootstrap: ModuleType,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bootstrap, "candidates", lambda version: iter(()))
    assert bootstrap.main(["install"]) == 2
    told = capsys.readouterr()
    version = "{}.{}".format(*sys.version_info[:2])
    assert told.err.count("\n") == 1
    assert f"needs Python {version} and found none" in told.err
    assert f"uv python install {version}" in told.err
    assert bootstrap.commands == []


def test_an_interpreter_that_does_not_start_is_passed_over(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a version manager's shim does when that version is not installed.
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'not installed' >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setattr(
        bootstrap, "candidates", lambda version: iter([str(broken), sys.executable])
    )
    version = "{}.{}".format(*sys.version_info[:2])
    assert bootstrap.find_python(version) == sys.executable
    assert bootstrap.python_version(str(tmp_path / "absent")) is None


def test_packages_are_installed_with_hashes_and_the_project_without_network(
    bootstrap: ModuleType, project: Path
) -> None:
    assert bootstrap.main(["install"]) == 0
    pips = [command for command in bootstrap.commands if "pip" in command]
    assert len(pips) == 5
    for command, lock in (
        (pips[0], "requirements.lock"),
        (pips[2], "requirements-blender.lock"),
        (pips[3], "requirements-html.lock"),
        (pips[4], "requirements-docs.lock"),
    ):
        assert "--require-hashes" in command and str(project / lock) in command
    assert {"--no-deps", "--no-build-isolation", "--editable"} <= set(pips[1])


def test_a_second_run_installs_nothing(bootstrap: ModuleType, project: Path) -> None:
    assert bootstrap.main(["install"]) == 0
    bootstrap.commands.clear()
    assert bootstrap.main(["install"]) == 0
    assert bootstrap.commands == []


def test_a_changed_lock_is_installed_again_and_only_that(
    bootstrap: ModuleType, project: Path
) -> None:
    assert bootstrap.main(["install"]) == 0
    bootstrap.commands.clear()
    (project / "requirements-blender.lock").write_text("# other\n")
    assert bootstrap.main(["install"]) == 0
    [command] = bootstrap.commands
    assert str(project / "requirements-blender.lock") in command


def test_a_failed_installation_leaves_no_stamp(
    bootstrap: ModuleType,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = bootstrap.run
    monkeypatch.setattr(
        bootstrap, "run", lambda command, **e: 1 if "pip" in map(str, command) else run(command)
    )
    assert bootstrap.main(["install"]) == 2
    assert "could not be installed" in capsys.readouterr().err
    assert bootstrap.read_stamp(project / ".venv") == {}


def test_blender_is_fetched_for_tests_only_when_a_test_needs_it(
    bootstrap: ModuleType, project: Path
) -> None:
    blender = str(project / "requirements-blender.lock")
    assert bootstrap.main(["test"]) == 0
    assert not [command for command in bootstrap.commands if blender in command]
    mark = "pytest.mark." + "bpy"
    (project / "tests" / "test_picture.py").write_text(
        f"import pytest\n@{mark}\ndef test(): ..."
    )
    assert bootstrap.main(["test"]) == 0
    assert [command for command in bootstrap.commands if blender in command]


def test_the_tests_come_last_and_a_failed_lint_fails_the_run(
    bootstrap: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bootstrap.run
    monkeypatch.setattr(
        bootstrap, "run", lambda command, **e: run(command) or int("ruff" in map(str, command))
    )
    assert bootstrap.main(["test", "-k", "knee"]) == 1
    last = bootstrap.commands[-1]
    assert "pytest" in last and last[-2:] == ["-k", "knee"]
    assert [name for c in bootstrap.commands for name in ("ruff", "mypy") if name in c] == [
        "ruff",
        "ruff",
        "mypy",
    ]


def test_kernels_are_compiled_beside_lint_in_a_fresh_clone_and_never_again(
    bootstrap: ModuleType, project: Path
) -> None:
    assert bootstrap.main(["test"]) == 0
    words = [" ".join(command) for command in bootstrap.commands]
    begun = next(i for i, w in enumerate(words) if w.startswith("started") and "demo" in w)
    done = words.index("waited")
    lint = [
        i for i, w in enumerate(words) if "-m ruff" in w or "-m mypy" in w or "audit_dep" in w
    ]
    tests = next(i for i, w in enumerate(words) if "-m pytest" in w)
    assert len(lint) == 4 and begun < min(lint) <= max(lint) < done < tests
    cache = project / "opensim_plugin" / "kneestride" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "kernels.times-1.py313.nbi").write_bytes(b"")
    bootstrap.commands.clear()
    assert bootstrap.main(["test"]) == 0
    assert "started" not in {command[0] for command in bootstrap.commands}


def test_the_build_needs_blenders_tool_and_hands_its_arguments_on(
    bootstrap: ModuleType, project: Path
) -> None:
    assert bootstrap.main(["build", "--out", "elsewhere"]) == 0
    assert bootstrap.commands[-1][-2:] == ["--out", "elsewhere"]
    assert bootstrap.commands[-1][-3].endswith("build_distribution.py")
    assert [c for c in bootstrap.commands if str(project / "requirements-blender.lock") in c]


# --- known vulnerabilities -----------------------------------------------------------------


def _answer(**vulnerabilities: list[dict[str, object]] | None) -> str:
    return json.dumps(
        {
            "dependencies": [
                {"name": name, "version": "1.0"}
                | ({"skip_reason": "not found"} if found is None else {"vulns": found})
                for name, found in vulnerabilities.items()
            ]
        }
    )


def test_a_known_vulnerability_fails_with_its_name_and_the_version_that_mends_it(
    audit: ModuleType,
) -> None:
    found: dict[str, object] = {"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}
    status, lines = audit.verdict(_answer(numpy=[], pillow=[found], ours=None), "")
    assert status == 1
    assert lines[0] == "audit: pillow 1.0: PYSEC-2026-1, mended in 1.1"
    assert lines[1] == "audit: 1 of 2 packages with known vulnerabilities, 1 unknown to it"


def test_nothing_known_passes_and_no_answer_says_so(audit: ModuleType) -> None:
    assert audit.verdict(_answer(numpy=[]), "") == (
        0,
        ["audit: 0 of 1 packages with known vulnerabilities"],
    )
    status, [line] = audit.verdict(_answer(numpy=None, scipy=None), "")
    assert status == 0 and "not reached" in line and "none of 2" in line
    for text, complaint in (("", "x\nConnectionError: host"), ("{}", ""), ("not JSON", "")):
        status, [line] = audit.verdict(text, complaint)
        assert status == 0 and line.startswith("audit: not reached") and "host" not in line


def test_every_lock_is_asked_about(audit: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        return subprocess.CompletedProcess(command, 0, _answer(numpy=[]), "")

    monkeypatch.setattr(audit.subprocess, "run", run)
    assert audit.main() == 0
    assert {str(lock) for lock in LOCKS} <= set(asked)
    assert "--require-hashes" in asked


def test_ci_runs_the_readmes_test_command() -> None:
    command = "python3 scripts/bootstrap.py test"
    ci = ROOT / ".ci" / "run"
    assert command in (ROOT / "README.md").read_text()
    assert ci.read_text().rstrip().endswith(command)
    assert os.access(ci, os.X_OK)
    assert subprocess.run(["bash", "-n", str(ci)]).returncode == 0
