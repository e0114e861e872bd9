"""The documentation site has every page, and no link leads nowhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.parent.name != "reference")


def load_tool(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a module of the folder tools."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_contents() -> None:
    """Each page of docs stands once in the contents of docs/index.md, and no other."""
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", text, re.S)
    listed = [
        line for block in blocks for line in block.split() if re.fullmatch(r"[\w/-]+", line)
    ]
    listed = [name for name in listed if "/" in name or (DOCS / f"{name}.md").exists()]
    generated = {"reference/python-api", "reference/http-api"}
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES} - {"index"}
    assert sorted(listed) == sorted(pages | generated)


@pytest.mark.parametrize(
    "page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_links_inside_lead_somewhere(page: Path) -> None:
    """Each relative link and picture of a page is a file here, with the heading it names."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    generated = {DOCS / "reference" / name for name in ("python-api.md", "http-api.md")}
    nowhere = []
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)", text):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if target not in generated and not (
            target.exists() and (not anchor or anchor in anchors(target))
        ):
            nowhere.append(link)
    assert nowhere == []


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_headings_are_named_as_in_links() -> None:
    """Marks go, and spaces are dashes; what is no heading has no name."""
    assert "what-is-read" in anchors(DOCS / "reading.md")
    assert "what-is-eaten" not in anchors(DOCS / "reading.md")


def test_generated_pages_name_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API's page has every public name, the HTTP page every request with its answers."""
    import digitlens

    pages = load_tool("site_pages", monkeypatch)
    text = pages.api_page()
    assert [name for name in digitlens.__all__ if f"## dl.{name}\n" not in text] == []
    assert "- `source`: " in text
    text = pages.http_page()
    for path, operations in pages.openapi()["paths"].items():
        for method in operations:
            assert f"## {method.upper()} {path}\n" in text


def test_a_lesson_shows_what_it_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lesson's code stands on the site with the outputs that its notebook has."""
    pages = load_tool("site_pages", monkeypatch)
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    lesson = "# One\n\n```{code-cell} python\nprint(1 + 1)\n```\n"
    assert pages.show_lesson(lesson, Path("01-one.md")).count("```") == 2
    (tmp_path / "course").mkdir()
    cells = [pages.course.Cell("code", "print(1 + 1)", printed="2\n", pictures=[b"png"])]
    (tmp_path / "course" / "01-one.ipynb").write_text(pages.course.to_notebook(cells))
    shown = pages.show_lesson(lesson, Path("01-one.md"))
    assert "```text\n2\n```" in shown
    assert 'src="data:image/png;base64,cG5n"' in shown
    assert "<details>" not in shown
    lesson = lesson.replace("print", ":tags: [solution, hide-cell]\n\nprint")
    shown = pages.show_lesson(lesson, Path("01-one.md"))
    assert "<summary>A solution</summary>\n\n```python\nprint" in shown, "folded, and cut short"


def test_the_code_of_a_lesson_is_seen_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of code is longer than the site's column shows: 88 characters."""
    course = load_tool("course", monkeypatch)
    cells = [
        cell
        for path in course.find_lessons()
        for cell in course.parse_lesson(path.read_text(encoding="utf-8"))
    ]
    lines = [line for cell in cells if cell.kind == "code" for line in cell.source.split("\n")]
    assert len(lines) > 300
    assert [line for line in lines if len(line) > 88] == []


def test_generated_pages_are_written_in_a_fresh_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their folder is not kept in the repository."""
    pages = load_tool("site_pages", monkeypatch)
    pages.write_generated(tmp_path)
    assert {path.name for path in (tmp_path / "reference").iterdir()} == {*pages.GENERATED}


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Sphinx builds every page, and warns of nothing."""
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-qW", "--keep-going", DOCS, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "reference" / "http-api.html").is_file()
