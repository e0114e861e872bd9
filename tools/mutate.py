"""Change modules that decide, one place at a time, and see whether their tests notice.

    python tools/mutate.py --mutants 40 --only decode

Needs cosmic-ray, whose operators make the mutants (``make mutate`` installs it). Of each module
a sample of places is drawn and one mutant a place; the module's own tests and examples run on a
copy of the package that holds it, in a fork of a process that has loaded what is slow to load.
Results are added to a file of JSON lines, so a run that was stopped is gone on with. A mutant
that no test can kill is named, with the reason, in ``tools/equivalent_mutants.toml``.
"""

from __future__ import annotations

import argparse
import ast
import doctest
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = ROOT / "tools" / "equivalent_mutants.toml"

# Module: the tests that are its own. Fast ones: each runs for every mutant that lives so far.
TARGETS = {
    "ctc/decode": ["ctc/test_decode", "laws/test_decode_laws"],
    "metrics/risk_coverage": [
        *("metrics/test_risk_coverage", "metrics/test_score"),
        *("laws/test_score_laws", "laws/test_confidence_laws"),
    ],
    "metrics/intervals": ["metrics/test_limits", "metrics/test_score", "laws/test_score_laws"],
    "metrics/history": ["metrics/test_history", "metrics/test_diagnosis"],
    "mail/decision": ["mail/test_decision", "laws/test_mail_laws"],
    "mail/barcodes": ["mail/test_barcodes", "laws/test_mail_laws"],
    "mail/sorting/store": ["mail/test_contract", "mail/test_store", "mail/test_review"],
    "imaging/normalize": ["imaging/test_normalize"],
    "layout/grouping": ["layout/test_grouping"],
    "batch/ledger": ["batch/test_ledger"],
    "models/checksum": ["models/test_checksum"],
    "server/middleware": ["server/test_middleware"],
}
SLOW_TO_LOAD = (
    *("numpy", "cv2", "onnxruntime", "onnx", "PIL.Image", "PIL.ImageDraw", "hypothesis"),
    *("hypothesis.internal.conjecture.engine", "pytest", "typer", "fastapi.testclient"),
)


IDLE_SECONDS = 120.0
"""A child that takes no time of the processor for so long waits for what never comes."""


class Mutant(NamedTuple):
    """A changed module: its place, the changed line before and after, and the whole source."""

    module: str
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the mutant, wherever the line stands."""
        return self.module, self.before, self.after


def list_places(source: str) -> list[list[tuple[Any, int]]]:
    """Return where a source can be changed: of each place operators and occurrences."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.operators.provider import OperatorProvider

    nodes = list(ast_nodes(get_ast(source)))
    places: dict[tuple[tuple[int, int], str], list[tuple[Any, int]]] = {}
    provider = OperatorProvider()
    for name in provider:
        if provider[name].arguments():
            continue
        operator = provider[name]()
        starts = [start for node in nodes for start, *_ in operator.mutation_positions(node)]
        for occurrence, start in enumerate(starts):
            places.setdefault((start, name.split("_")[0]), []).append((operator, occurrence))
    return list(places.values())


def meaning(source: str) -> str | None:
    """Return the code without annotations: they are never run, and nothing can kill them."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return ast.dump(tree)


def difference(before: str, after: str) -> tuple[int, str, str]:
    """Return the first lines that differ, without their indent, and their number."""
    pairs = enumerate(zip(before.splitlines(), after.splitlines(), strict=False), 1)
    number, (one, other) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
    return number, one.strip(), other.strip()


def draw(module: str, count: int, seed: int) -> list[Mutant]:
    """Return one mutant each of `count` places of a module, the same ones for the same seed."""
    from cosmic_ray.mutating import mutate_code

    source = (ROOT / "src" / "digitlens" / f"{module}.py").read_text()
    rng, plain, mutants = random.Random(f"{seed} {module}"), meaning(source), []
    places, flags = list_places(source), source.count("@dataclass")
    rng.shuffle(places)
    for place in places:
        operator, occurrence = rng.choice(place)
        changed = mutate_code(source, operator, occurrence)
        if changed is not None and meaning(changed) not in (plain, None):
            number, before, after = difference(source, changed)
            # Flags of dataclasses, and the class without them, show nowhere in behavior.
            is_flag = before.startswith("@dataclass") or changed.count("@dataclass") < flags
            # What only type checkers read is left out like annotations.
            if not is_flag and "TYPE_CHECKING" not in before:
                mutants.append(Mutant(module, number, before, after, changed))
        if len(mutants) == count:
            break
    return mutants


def read_state(process: int) -> tuple[str, str, str]:
    """Return a process's state, and its time of the processor: its own code, the system."""
    text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[11], fields[12]


class Bench:
    """A copy of the package in which one module is changed, and its tests are run."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "src"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "src", self.source, ignore=ignored)
        self.log = folder / "log"

    def run(self, module: str, source: str | None, limit: float | None) -> tuple[str, float]:
        """Return "survived", "killed" or "time", and the seconds of the processor it took."""
        path = self.source / "digitlens" / f"{module}.py"
        original = path.read_text()
        if source is not None:
            path.write_text(source)
            cached = path.parent / "__pycache__"
            for stale in cached.glob(f"{path.stem}.*.pyc"):
                stale.unlink()
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = os.fork()
        if not process:
            try:
                self.child(module, source is None, limit)
            finally:  # nothing of this process may go on in its fork
                traceback.print_exc()
                os._exit(1)
        outcome = self.wait(process, 1200.0)
        path.write_text(original)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return outcome, ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime

    def child(self, module: str, caching: bool, limit: float | None) -> None:
        """Run the module's tests in this process, and end it with their exit code."""
        os.setsid()
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if limit:
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        os.environ["PYTHONPATH"] = str(self.source)
        sys.path.insert(0, str(self.source))
        sys.dont_write_bytecode = not caching
        if not caching:
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        import pytest
        from hypothesis import settings

        name = f"digitlens.{module.replace('/', '.')}"
        if doctest.testmod(importlib.import_module(name)).failed:
            os._exit(1)
        # Laws are given fewer examples than usual: what they notice they notice soon.
        settings.register_profile("few", max_examples=30, derandomize=True, deadline=None)
        tests = [str(ROOT / "tests" / f"{name}.py") for name in TARGETS[module]]
        off = ("cacheprovider", "xdist", "schemathesis", "faulthandler", "randomly", "anyio")
        code = pytest.main(
            [
                "-qx",
                "--hypothesis-profile=few",
                "-Wignore::pytest.PytestAssertRewriteWarning",
                *(f"-pno:{name}" for name in off),
                *tests,
            ]
        )
        os._exit(int(code))

    @staticmethod
    def wait(process: int, seconds: float) -> str:
        """Wait for the child, at most so long or while it does something; then end it all."""
        end = time.monotonic() + seconds
        status: int | None = None
        used: list[str] = []
        idle = time.monotonic() + IDLE_SECONDS
        while status is None and time.monotonic() < min(end, idle):
            done, code = os.waitpid(process, os.WNOHANG)
            if done:
                status = code
            else:
                # A mutant that waits for what never comes sleeps; one that waits for a
                # processor does not.
                state, *rest = read_state(process)
                if state != "S" or rest != used:
                    used, idle = rest, time.monotonic() + IDLE_SECONDS
                time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        if status is None:
            os.waitpid(process, 0)
        if status is None or os.WIFSIGNALED(status):
            return "time"
        return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"


def read_results(path: Path) -> dict[tuple[str, str, str], str]:
    """Return what earlier runs said: by mutant, what became of it."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = map(json.loads, lines)
    return {(row["module"], row["before"], row["after"]): row["outcome"] for row in rows}


def equivalents() -> dict[tuple[str, str, str], str]:
    """Return the mutants that nothing can kill, and why."""
    rows = tomllib.loads(EQUIVALENT.read_text())["mutant"] if EQUIVALENT.exists() else []
    return {(row["module"], row["before"], row["after"]): row["why"] for row in rows}


def test_module(module: str, mutants: list[Mutant], out: Path, end: float, again: bool) -> None:
    """Run the tests of a module on its mutants, those that have no result yet."""
    known = read_results(out)
    wanted = [
        mutant
        for mutant in mutants
        if mutant.key not in known or (again and known[mutant.key] == "survived")
    ]
    if not wanted:
        return
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        bench = Bench(Path(name))
        outcome, seconds = bench.run(module, None, None)
        if outcome != "survived":
            raise SystemExit(f"{module}: its tests fail as it is\n{bench.log.read_text()}")
        print(f"{module}: its tests take {seconds:.1f} s", flush=True)
        for mutant in wanted:
            if time.monotonic() > end:
                return
            outcome, took = bench.run(module, mutant.source, 5 * seconds + 10)
            row = mutant._asdict() | {"outcome": outcome, "seconds": round(took, 2)}
            del row["source"]
            with out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            if outcome == "survived":
                print(f"  {mutant.line}: {mutant.before}\n   -> {mutant.after}", flush=True)


def tell(modules: list[str], drawn: dict[str, list[Mutant]], out: Path) -> bool:
    """Print a table of what became of the mutants; return whether at most 8 % live."""
    known, same = read_results(out), equivalents()
    print(f"\n{'module':<24}{'mutants':>8}{'killed':>8}{'survived':>9}{'equivalent':>11}")
    whole: Counter[str] = Counter()
    for module in modules:
        tally = Counter(
            "equivalent" if mutant.key in same else known[mutant.key]
            for mutant in drawn[module]
            if mutant.key in known
        )
        tally["killed"] += tally.pop("time", 0)
        whole += tally
        row = f"{tally['killed']:>8}{tally['survived']:>9}{tally['equivalent']:>11}"
        print(f"{module:<24}{tally.total():>8}{row}")
    row = f"{whole['killed']:>8}{whole['survived']:>9}{whole['equivalent']:>11}"
    print(f"{'all':<24}{whole.total():>8}{row}")
    rest = whole["killed"] + whole["survived"]
    print(f"survived: {100 * whole['survived'] / max(rest, 1):.1f} % of {rest}")
    return whole["survived"] <= 0.08 * rest


def main() -> int:
    """Mutate as asked and print a table; the exit code is 1 where more than 8 % survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=40, help="a module")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="modules with one of these in their name")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after this time")
    parser.add_argument("--out", type=Path, default=Path("mutants.jsonl"), help="results")
    parser.add_argument("--again", action="store_true", help="those too that survived before")
    chosen = parser.parse_args()
    end = time.monotonic() + chosen.seconds
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    modules = [
        name for name in TARGETS if not chosen.only or any(part in name for part in chosen.only)
    ]
    drawn = {name: draw(name, chosen.mutants, chosen.seed) for name in modules}
    for name in SLOW_TO_LOAD:
        importlib.import_module(name)
    for name in modules:
        test_module(name, drawn[name], chosen.out, end, chosen.again)
    return 0 if tell(modules, drawn, chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
