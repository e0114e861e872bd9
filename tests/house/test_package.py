"""What strangers meet first: the package's own facts, the workflows, the forms."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_citation_names_this_version() -> None:
    """CITATION.cff has the version, the licence and the title of the package."""
    cited = read_yaml(ROOT / "CITATION.cff")
    assert cited["version"] == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]
    assert cited["title"].startswith(PROJECT["name"])
    assert {"cff-version", "message", "authors", "type"} <= set(cited)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_bounded_and_runs_what_is_here(path: Path) -> None:
    """Each job ends in time, has read rights unless it says more, and runs files that exist."""
    flow = read_yaml(path)
    assert flow["permissions"] == {"contents": "read"}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for name, job in flow["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w/-]+@[\w./-]+", step.get("uses", "a@v1"))
            words = step.get("run", "")
            assert set(re.findall(r"(?<=make )[\w-]+", words)) <= set(targets)
            assert [
                tool
                for tool in re.findall(r"tools/\w+\.py", words)
                if not (ROOT / tool).exists()
            ] == []


def test_the_tests_run_on_three_systems_and_four_pythons() -> None:
    """The matrix begins with the oldest Python that the package takes."""
    matrix = read_yaml(ROOT / ".github/workflows/check.yml")["jobs"]["test"]["strategy"][
        "matrix"
    ]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert PROJECT["requires-python"] == f">={matrix['python'][0]}"
    assert len(matrix["python"]) == 4


def test_a_release_is_trusted_without_a_password() -> None:
    """The job that publishes has the right to name itself, and no workflow has a secret."""
    jobs = read_yaml(ROOT / ".github/workflows/release.yml")["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "release"
    assert "secrets." not in "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)


def test_an_index_shows_the_pictures_of_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the build is told the repository, no address of the README is relative."""
    page = load_tool("package_page").PackagePage(str(ROOT), {})
    plain: dict[str, Any] = {"version": "1.2"}
    monkeypatch.delenv("DIGITLENS_REPOSITORY", raising=False)
    page.update(plain)
    assert plain["readme"]["text"] == (ROOT / "README.md").read_text(encoding="utf-8")
    assert not plain["urls"]
    # A release: as .github/workflows/release.yml builds it.
    monkeypatch.setenv("DIGITLENS_REPOSITORY", "https://host.example/owner/name/")
    release: dict[str, Any] = {"version": "1.2"}
    page.update(release)
    targets = re.findall(r"\]\(([^)]+)\)", release["readme"]["text"])
    named = "https://host.example/owner/name"
    pictures = [target for target in targets if target.startswith(f"{named}/raw/v1.2/docs/")]
    assert len(pictures) >= 4
    assert [target for target in targets if not target.startswith("https://")] == []
    assert release["urls"]["Changelog"] == f"{named}/blob/v1.2/CHANGELOG.md"
    flow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert "DIGITLENS_REPOSITORY: ${{ github.server_url }}/${{ github.repository }}" in flow


@pytest.mark.skipif(not shutil.which("actionlint"), reason="actionlint is not here")
def test_actionlint_has_nothing_to_say() -> None:
    """Where the linter of workflows is installed, it finds nothing."""
    done = subprocess.run(
        ["actionlint", *WORKFLOWS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_issue_forms_ask_for_something() -> None:
    """Each form has a name, a description, and fields with labels and ids of their own."""
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = read_yaml(path)
        if path.stem == "config":
            continue
        fields = [part for part in form["body"] if part["type"] != "markdown"]
        names = [part["id"] for part in fields]
        assert len(set(names)) == len(names) >= 2
        assert all(part["attributes"]["label"] for part in fields)
        assert form["name"]
        assert form["description"]


def load_tool(name: str) -> Any:
    """Return a file of tools as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_extra_has_its_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each extra that is declared is tried, and what is tried is Python."""
    smoke = load_tool("smoke")
    assert smoke.declared() == ["", *PROJECT["optional-dependencies"]]
    for extra in smoke.declared():
        ast.parse(smoke.script(extra))
    monkeypatch.delitem(smoke.EXTRAS, "pdf")
    with pytest.raises(SystemExit, match="pdf"):
        smoke.declared()


def test_the_bare_package_passes_its_trial(tmp_path: Path) -> None:
    """What is tried of an install without extras works on what is here."""
    code = load_tool("smoke").script("")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
