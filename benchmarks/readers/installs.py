"""Where readers stand: environments that the benchmark makes, their sizes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
BENCH = ROOT / ".bench"
RAPIDOCR_PACKAGES = ("rapidocr==3.10.0", "onnxruntime==1.31.1")
TESSERACT_PACKAGES = (
    *("tesseract-ocr", "tesseract-ocr-eng", "tesseract-ocr-osd"),
    *("libtesseract5", "liblept5"),
)
"""What Debian installs for ``apt-get install tesseract-ocr``, small shared ones aside."""

TOOLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")
"""What an empty environment holds already."""

MEGABYTE = 1_000_000


class NotInstalledError(Exception):
    """A reader that cannot be had here; its text says why."""


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """Return the Python of .bench/NAME, made with `packages` when these are not yet in it.

    Raises
    ------
    NotInstalledError
        pip failed; the last line that it wrote.
    """
    folder = BENCH / name
    python, ready = folder / "bin" / "python", folder / ".ready"
    wanted = "\n".join(packages)
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making {folder} with {', '.join(packages)} ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*install, *packages], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no word of why"]
        raise NotInstalledError(f"pip could not install {', '.join(packages)}: {lines[-1]}")
    ready.write_text(wanted, encoding="utf-8")
    return python


def rapidocr_python() -> Path:
    """Return the Python of RapidOCR's own environment, making it on the first run."""
    return environment("rapidocr", RAPIDOCR_PACKAGES)


def rapidocr_size() -> float:
    """Return the megabytes that RapidOCR's environment has over an empty one."""
    return packages_size(rapidocr_python())


def our_size() -> float:
    """Return the megabytes of digitlens and of all that it needs to read: no extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = packages_size(environment("digitlens", tuple(project["dependencies"])))
    return needed + folder_size(ROOT / "src" / "digitlens")


def tesseract_size() -> float:
    """Return the megabytes of Tesseract's Debian packages.

    Raises
    ------
    NotInstalledError
        Debian's package manager does not know them: Tesseract came another way.
    """
    asked = ["dpkg-query", "-W", "-f", "${Installed-Size}\n", *TESSERACT_PACKAGES]
    if shutil.which(asked[0]) is None:
        raise NotInstalledError("no Debian here")
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalledError("not all of Tesseract's Debian packages are installed")
    return sum(1024 * int(line) for line in done.stdout.split()) / MEGABYTE


def packages_size(python: Path) -> float:
    """Return the megabytes of an environment's packages, without those of an empty one."""
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    return sum(
        folder_size(entry) for entry in packages.iterdir() if not entry.name.startswith(TOOLS)
    )


def folder_size(path: Path) -> float:
    """Return the megabytes of a file or folder, without what Python compiles by itself."""
    files = [path] if path.is_file() else path.rglob("*")
    kept = (x for x in files if x.is_file() and not x.is_symlink() and x.suffix != ".pyc")
    return sum(item.stat().st_size for item in kept) / MEGABYTE
