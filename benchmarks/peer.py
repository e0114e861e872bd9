"""What benchmarks share: processes that are timed, Keras' own environment, the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEER = ROOT / "benchmarks" / "keras_convnet.py"
KERAS = ROOT / ".bench" / "keras"
KERAS_PACKAGES = ("tensorflow==2.21.0", "keras==3.15.1")
RESULTS = ROOT / "benchmarks" / "results"
MIB = 1024


# The system counts what the process that begins another one holds as that one's peak: a small
# process begins it, and tells of it. It runs with nothing but the standard library.
STARTER = """
import json, os, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with os.fdopen(int(sys.argv[1]), "w") as pipe:
    json.dump([code, time.perf_counter() - began, usage.ru_maxrss], pipe)
"""


def timed(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Run `command` in `folder`; return seconds, peak memory in MiB, and what it printed."""
    told, pipe = os.pipe()
    with os.fdopen(told) as result:
        starter = [sys.executable, "-I", "-S", "-c", STARTER, str(pipe), *command]
        done = subprocess.run(
            starter,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
            pass_fds=[pipe],
        )
        os.close(pipe)
        code, seconds, peak = json.load(result)
    if code != 0:
        sys.exit(f"{' '.join(command)} ended with exit code {code}")
    return seconds, peak / MIB, done.stdout


def keras_python() -> str:
    """Return the Python of Keras' own environment, making it on the first run."""
    python = KERAS / "bin" / "python"
    ready = KERAS / ".ready"
    if not ready.exists():
        print(f"making {KERAS} with {', '.join(KERAS_PACKAGES)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(KERAS)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *KERAS_PACKAGES], check=True)
        ready.touch()
    return str(python)


def machine() -> str:
    """Return what the machine is, for the table's foot."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        name = next((x.split(":")[1].strip() for x in lines if "model name" in x), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, Python {platform.python_version()}"


def keep(name: str, text: str, *, write: bool = True) -> None:
    """Print a table and, where that is wanted, write it to benchmarks/results/NAME.md."""
    if write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def read_memory(process: int) -> tuple[int, int]:
    """Return the process that began a process, and the KiB that this one held at most.

    What `resource` says counts what that other process held when it began this one.
    """
    values = dict(
        line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines()
    )
    return int(values["PPid"]), int(values.get("VmHWM", "0").split()[0])
