"""Install the wheel with each extra into fresh environments, and try what the extra is for.

    python tools/smoke.py dist/digitlens-*.whl [--python 3.11 3.12] [--extra lab pdf]
                          [--skip train all] [--versions lowest newest]

For each Python that is here, each extra, and the lowest and the newest versions that
pyproject.toml declares. Wants uv. Prints a line for each environment; 1 where one failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}

BASE = """
import io, numpy as np
from PIL import Image
import digitlens as dl
assert "torch" not in __import__("sys").modules
image = np.full((60, 50), 255, np.uint8)
image[8:52, 23:28] = 0
file = io.BytesIO(); Image.fromarray(image).save(file, "PNG")
answer = dl.predict(file.getvalue())
assert answer.label == 1, answer
assert dl.list_models()
page = dl.read(np.pad(image, 40, constant_values=255))
assert [line.text for line in page.lines] == ["1"], page.lines
assert dl.evaluate("tiny", "uci").count
from digitlens.cli.app import run
assert run(["doctor"]) in (0, 1)
assert run(["summary", "lenet5"]) in (0, 1)
"""

EXTRAS = {
    "": "",
    "train": """
run_ = dl.train("dense", "uci", epochs=1, out="run")
assert run_.model.predict(dl.load_digits("uci").test.images[:4]).labels.shape == (4,)
assert run(["export", "run", "--to", "torch", "--out", "net.pt"]) == 0
assert run(["explain", "tiny", "one.png", "--out", "why"]) == 0
""",
    "lab": """
from fastapi import FastAPI
from digitlens.server.app import Lab
from digitlens.server.serve import open_listener
open_listener("127.0.0.1", 0).close()
import http.client, subprocess, sys
server = subprocess.Popen([sys.executable, "-m", "digitlens", "serve", "--port", "0"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
try:
    for line in server.stdout:
        if "http://" in line:
            break
    port = int(line.split("://")[1].split("/")[0].split(":")[1])
    ask = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    ask.request("POST", "/v1/predict", file.getvalue(), {"Content-Type": "image/png"})
    reply = ask.getresponse()
    body = reply.read()
    assert reply.status == 200, body
    form = (b'--x\\r\\nContent-Disposition: form-data; name="a"; filename="a.png"\\r\\n'
            b'Content-Type: image/png\\r\\n\\r\\n' + file.getvalue() + b'\\r\\n--x--\\r\\n')
    ask.request("POST", "/v1/predict", form,
                {"Content-Type": "multipart/form-data; boundary=x"})
    reply = ask.getresponse()
    assert reply.status == 200, reply.read()
finally:
    server.terminate(); server.wait(30)
""",
    "mail": """
assert run(["mail", "plan", "--by", "state", "--out", "plan.toml"]) == 0
""",
    "postgres": """
import psycopg
assert psycopg.connect
""",
    "ray": "import ray",
    "tune": "import optuna",
    "remote": "import fsspec",
    "pdf": """
Image.fromarray(np.pad(image, 60, constant_values=255)).save("page.pdf")
assert run(["read", "page.pdf"]) == 0
""",
    "heif": """
import pillow_heif
pillow_heif.from_pillow(Image.fromarray(image).convert("RGB")).save("one.heic")
assert dl.predict("one.heic").label == 1
""",
    "tables": """
assert len(dl.evaluate("tiny", "uci").to_pandas())
dl.evaluate("tiny", "uci").to_parquet("rows.parquet")
import sklearn
""",
}
"""What is tried of each extra, after `BASE`; of "all" what each extra in it is for."""


def script(extra: str) -> str:
    """Return the Python that tries an extra."""
    parts = [EXTRAS[name] for name in members(extra)]
    return "\n".join([BASE, 'Image.fromarray(image).save("one.png")', *parts])


def read_extras() -> dict[str, list[str]]:
    """Return the extras of pyproject.toml with what they ask for."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras: dict[str, list[str]] = tomllib.load(file)["project"]["optional-dependencies"]
    return extras


def members(extra: str) -> list[str]:
    """Return the extras that an extra brings: itself, or of "all" those that it names."""
    if extra != "all":
        return [extra]
    (wanted,) = read_extras()["all"]
    return wanted.partition("[")[2].rstrip("]").split(",")


def declared() -> list[str]:
    """Return the extras of pyproject.toml, the bare package first; each has its trial."""
    named = read_extras()
    missing = set(named) - set(EXTRAS) - {"all"}
    if missing:
        raise SystemExit(f"tools/smoke.py tries nothing of: {', '.join(sorted(missing))}")
    return ["", *named]


def has_python(version: str) -> bool:
    """Whether uv finds this Python without fetching it."""
    command = ["uv", "python", "find", "--no-python-downloads", version]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def try_out(wheel: Path, python: str, extra: str, versions: str) -> str:
    """Install into a new environment and try; return what went wrong, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        wanted = f"{wheel.resolve()}[{extra}]" if extra else str(wheel.resolve())
        resolution = RESOLUTIONS[versions]
        new = ["uv", "venv", "-q", "--python", python, "--no-python-downloads", folder]
        put = ["uv", "pip", "install", "-q", "--python", str(inside)]
        steps = [
            new,
            [*put, "--resolution", resolution, wanted],
            [str(inside), "-W", "error::SyntaxWarning", "-c", script(extra)],
        ]
        clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        for step in steps:
            done = subprocess.run(  # noqa: S603 - our own words
                step, capture_output=True, text=True, cwd=folder, env=clean, check=False
            )
            if done.returncode:
                return (done.stderr or done.stdout).strip()
    return ""


def main() -> int:
    """Try all that is asked for, and print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", nargs="+", default=list(PYTHONS))
    parser.add_argument("--extra", nargs="+", default=declared())
    parser.add_argument("--skip", nargs="+", default=[], help="extras")
    parser.add_argument("--versions", nargs="+", default=list(RESOLUTIONS))
    options = parser.parse_args()
    failed = 0
    for python in options.python:
        if not has_python(python):
            sys.stdout.write(f"{python:5} is not here\n")
            continue
        for extra in options.extra:
            for versions in options.versions if extra not in options.skip else ():
                began = time.perf_counter()
                wrong = try_out(options.wheel, python, extra, versions)
                failed += bool(wrong)
                seconds = time.perf_counter() - began
                row = f"{python:5} {extra or '(none)':7} {versions:7}"
                outcome = f"failed\n{wrong[-2000:]}" if wrong else "passes"
                sys.stdout.write(f"{row} {seconds:5.1f} s  {outcome}\n")
                sys.stdout.flush()
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
