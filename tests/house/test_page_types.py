"""The types of the page's scripts are those of the service and of the page."""

from __future__ import annotations

import doctest
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import check_scripts
import page_types

ROOT = Path(__file__).parents[2]
ERROR = "src/digitlens/server/static/js/core/dom.js(1,2): error TS1: no\n"


def test_the_types_are_those_of_the_service_and_the_page() -> None:
    """types/lab.d.ts is what both give: python tools/page_types.py."""
    assert page_types.TARGET.read_text(encoding="utf-8") == page_types.make()


@pytest.mark.parametrize("tool", [check_scripts, page_types])
def test_the_examples_of_the_tools_are_true(tool: Any) -> None:
    """The examples of both tools print what they say."""
    result = doctest.testmod(tool)
    assert (result.attempted > 0, result.failed) == (True, 0)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the commands that are run, in a clone without TypeScript that npm would get."""
    compiler = tmp_path / "tsc"
    commands = []

    def run(command: list[str], **_how: Any) -> subprocess.CompletedProcess[str]:
        commands.append(Path(command[0]).name)
        compiler.touch()
        return subprocess.CompletedProcess(command, 2, stdout=ERROR)

    monkeypatch.setattr(check_scripts, "COMPILER", compiler)
    monkeypatch.setattr(check_scripts, "NOT_YET", set())
    monkeypatch.setattr(check_scripts.subprocess, "run", run)
    return commands


def test_a_fresh_clone_gets_typescript(
    fresh: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where npm is at hand the check installs tsc, runs it, and fails by an error."""
    monkeypatch.setattr(check_scripts.shutil, "which", lambda name: f"/bin/{name}")
    assert check_scripts.main() == 1
    assert fresh == ["npm", "tsc"]
    assert "core/dom.js: 1 errors" in capsys.readouterr().out


def test_without_npm_the_check_says_that_it_was_passed_over(
    fresh: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without npm can run make check: one line tells what was not checked."""
    monkeypatch.setattr(check_scripts.shutil, "which", lambda _: None)
    assert check_scripts.main() == 0
    assert fresh == []
    assert "not checked" in capsys.readouterr().out


@pytest.mark.slow
def test_a_renamed_key_and_a_renamed_element_are_type_errors(tmp_path: Path) -> None:
    """A script that asks for a key, or an id, that is there no more is told by tsc."""
    if not check_scripts.COMPILER.exists():
        pytest.skip(check_scripts.HOW)
    types = page_types.TARGET.read_text(encoding="utf-8")
    for old, new in (("likeliest: number", "best: number"), ('"answer-digit"', '"digit-now"')):
        assert types.count(old) == 1
        types = types.replace(old, new)
    (tmp_path / "lab.d.ts").write_text(types, encoding="utf-8")
    scripts = [str(ROOT / check_scripts.SCRIPTS), str(ROOT / "types" / "dom.d.ts")]
    config = {"extends": str(ROOT / "tsconfig.json"), "include": ["lab.d.ts", *scripts]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = [str(check_scripts.COMPILER), "--project", str(tmp_path), "--pretty", "false"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    told = result.stdout
    assert "Property 'likeliest' does not exist on type 'Answer'" in told
    assert "does not exist on type 'never'" in told
