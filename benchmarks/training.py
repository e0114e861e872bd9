"""Training and prediction beside Keras: the table of the README.

    make bench-training

Ten seeds of each network are trained by `digitlens train NETWORK --validation 0`, each in a
process of its own and in turn, from start to exit; between them Keras' own example trains in a
virtual environment of its own (.bench/keras, made on the first run). Then each network's test
misses are counted once. Give the machine nothing else to do meanwhile: only ratios of times
taken in turn mean something, and even they suffer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEER = ROOT / "benchmarks" / "keras_convnet.py"
KERAS = ROOT / ".bench" / "keras"
KERAS_PACKAGES = ("tensorflow==2.21.0", "keras==3.15.1")
RESULT = ROOT / "benchmarks" / "results" / "training.md"
NETWORKS = ("quick", "dense", "cnn")
MIB = 1024


@dataclass
class Series:
    """The runs of one command: seconds from start to exit, peak memory in MiB, test misses."""

    name: str
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    misses: list[int] = field(default_factory=list)

    def row(self, peer: Series, count: int) -> str:
        """Return the table's row."""
        right = [100 * (count - miss) / count for miss in self.misses]
        spread = f" ± {statistics.stdev(right):.3f}" if len(right) > 1 else ""
        median = statistics.median(self.seconds)
        ratio = statistics.median(peer.seconds) / median
        share = "1" if self is peer else f"1/{ratio:.1f}"
        return (
            f"| `{self.name}` | {statistics.fmean(right):.3f} %{spread} | {min(right):.2f} to "
            f"{max(right):.2f} % | {len(right)} | {median:.2f} s | {share} | "
            f"{max(self.memory):.0f} MiB |"
        )


def timed(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Run `command` in `folder`; return seconds, peak memory in MiB, and what it printed."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return seconds, usage.ru_maxrss / MIB, printed


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


def train_all(seeds: int, rounds: int, folder: Path) -> tuple[dict[str, Series], Series]:
    """Train every seed of every network, and Keras' example now and then, in turn."""
    digitlens = str(Path(sys.executable).with_name("digitlens"))
    ours = {name: Series(f"digitlens train {name}") for name in NETWORKS}
    peer = Series("Keras mnist_convnet")
    peer_after = {round(turn * seeds / rounds) for turn in range(rounds)}
    for seed in range(seeds):
        for name, series in ours.items():
            out = folder / f"{name}-{seed}"
            options = ["--validation", "0", "--seed", str(seed), "--out", str(out)]
            seconds, memory, _ = timed([digitlens, "train", name, *options], folder)
            series.seconds.append(seconds)
            series.memory.append(memory)
            print(f"{name} seed {seed}: {seconds:.2f} s", file=sys.stderr)
        if seed in peer_after:
            command = [keras_python(), str(PEER), "train", str(folder / "peer.keras")]
            seconds, memory, printed = timed(command, folder)
            peer.seconds.append(seconds)
            peer.memory.append(memory)
            peer.misses.append(json.loads(printed.splitlines()[-1])["misses"])
            print(f"Keras: {seconds:.2f} s", file=sys.stderr)
    return ours, peer


def count_misses(ours: dict[str, Series], seeds: int, folder: Path) -> int:
    """Open the test set, once, and count each network's misses; return its size."""
    from digitlens import load_digits, load_model

    test = load_digits("mnist").test
    for name, series in ours.items():
        for seed in range(seeds):
            answers = load_model(folder / f"{name}-{seed}").predict(test.images)
            series.misses.append(int((answers.labels != test.labels).sum()))
    return len(test)


def predict_all(folder: Path, rounds: int) -> list[tuple[str, float, float]]:
    """Time `predict` of cnn and of Keras in turn: name, digits/s, microseconds."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "keras": []}
    for _ in range(rounds):
        for who, command in (
            ("ours", [sys.executable, __file__, "--predict", str(folder / "cnn-0")]),
            ("keras", [keras_python(), str(PEER), "predict", str(folder / "peer.keras")]),
        ):
            found[who].append(json.loads(timed(command, folder)[2].splitlines()[-1]))
    titles = {
        "ours": "digitlens `Model.predict`, cnn",
        "keras": "Keras `predict`, mnist_convnet",
    }
    return [
        (
            title,
            statistics.median(run["digits_per_second"] for run in found[who]),
            1e6 * statistics.median(run["one_digit_seconds"] for run in found[who]),
        )
        for who, title in titles.items()
    ]


def predict_once(folder: Path) -> None:
    """Time `Model.predict` in this process and print the figures as JSON."""
    from digitlens import load_digits, load_model

    model = load_model(folder)
    images = load_digits("mnist").test.images
    model.predict(images)
    batches, ones = [], []
    for _ in range(21):
        began = time.perf_counter()
        model.predict(images)
        batches.append(time.perf_counter() - began)
    one = images[:1]
    for _ in range(2000):
        began = time.perf_counter()
        model.predict(one)
        ones.append(time.perf_counter() - began)
    figures = {
        "digits_per_second": len(images) / statistics.median(batches),
        "one_digit_seconds": statistics.median(ones),
    }
    print(json.dumps(figures))


def machine() -> str:
    """Return what the machine is, for the table's foot."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        name = next((x.split(":")[1].strip() for x in lines if "model name" in x), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, Python {platform.python_version()}"


def report(
    ours: dict[str, Series], peer: Series, count: int, speeds: list[tuple[str, float, float]]
) -> str:
    """Return both tables as Markdown."""
    from importlib.metadata import version

    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "onnxruntime"))
    lines = [
        "| command, start to exit | test accuracy, mean ± sd | from, to | runs "
        "| median time | of Keras' | peak memory |",
        "|---|---|---|---|---|---|---|",
        *(series.row(peer, count) for series in (*ours.values(), peer)),
        "",
        "| prediction | digits/s in batches | one digit |",
        "|---|---|---|",
        *(f"| {name} | {rate:,.0f} | {one:,.0f} µs |" for name, rate, one in speeds),
        "",
        f"Trained on all 60,000 digits, counted once on the {count:,} of the test set. "
        f"{machine()}, {packages}, {', '.join(KERAS_PACKAGES)}; {time.strftime('%Y-%m-%d')}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark and write its tables to benchmarks/results/training.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3, help="runs of Keras' example")
    parser.add_argument("--predict", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.predict:
        predict_once(options.predict)
        return
    if "DIGITLENS_DATA" not in os.environ:
        sys.exit("set DIGITLENS_DATA to the folder with MNIST's files: Keras reads it too")
    keras_python()
    folder = Path(tempfile.mkdtemp(prefix="digitlens-bench-"))
    try:
        ours, peer = train_all(options.seeds, options.rounds, folder)
        count = count_misses(ours, options.seeds, folder)
        speeds = predict_all(folder, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = report(ours, peer, count, speeds)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
