"""Reading numbers beside RapidOCR and Tesseract: a table of docs/benchmarks.md.

    make bench-reading

The same pictures are read by all readers in turn, picture by picture, each reader in a process
of its own, on one thread: strips that `digitlens.synth` composes from MNIST's test digits
(``--strips`` in each style), and the real pictures of the folder that DIGITLENS_REAL names.
Times are processor time after the file was decoded, so that other load on the machine counts
little.

RapidOCR (its recogniser alone on lines, all of it on whole pictures) lives in an environment
that is made in .bench/rapidocr; its networks come with its wheel. Tesseract is Debian's, asked
through its C library, digits only. Settings of a peer for lines are chosen on generated
validation lines, `CHOICE` of each kind: those that read most lines exactly. On whole pictures,
for which there is no validation set, each figure of a peer is that of its best setting: in its
favour. No peer can be told how many digits a line has; for RapidOCR the benchmark finds the
likeliest string of that length in what its network gives; of Tesseract's readings only those
of that length are accepted. What counts as right is defined in readers/score_lines.py and
readers/score_pages.py.

All answers are kept in .bench/reading/READER.json, a file a reader. With ``--ours-only`` the
peers' answers are taken from there. Prints Markdown; with ``--write`` also to
benchmarks/results/reading.md. Ends with exit code 1 where a reader could not be measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from peer import keep, machine
from readers.answer_cache import AnswerCache
from readers.installs import BENCH, NotInstalledError
from readers.pictures import CHEQUES, FIVES, SETS, measured_pictures, validation_lines
from readers.processes import OURS, READERS, ReaderProcess, ReaderSpec
from readers.results import ReaderResults, paired
from readers.score_lines import line_text
from readers.table import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from readers.pictures import Task
    from readers.protocol import Answer

HOME = BENCH / "reading"
STRIPS, VALIDATION = 500, 1000
CHOICE = 60
"""Validation lines of each kind that settings are chosen on."""

EVERY = 200
"""Pictures after which a word is said and answers are saved."""


def asked(
    reader: ReaderProcess,
    kept: AnswerCache,
    task: Task,
    questions: Iterable[tuple[int | None, str]],
) -> list[Answer]:
    """Ask one reader about one picture, keep its answers and return them."""
    answers = []
    for length, setting in questions:
        answer = reader.ask(
            {"path": str(task.path), "page": task.page, "length": length, "setting": setting}
        )
        kept.put(task, length, setting, answer)
        answers.append(answer)
    return answers


def best_setting(settings: Sequence[str], kept: AnswerCache, tasks: Sequence[Task]) -> str:
    """Return the setting that reads most of these lines exactly, the first of equals."""
    hits: Counter[str] = Counter()
    for setting in settings:
        for task in tasks:
            answer = kept.get(task, None, setting)
            hits[setting] += answer is not None and line_text(answer) == task.truth[0]
    return max(settings, key=lambda setting: hits[setting])


def choose_settings(
    readers: dict[str, ReaderProcess],
    results: Sequence[ReaderResults],
    validation: dict[str, list[Task]],
) -> None:
    """Let each peer read some validation lines with all its settings, and note the best.

    A peer that is not asked keeps the setting of its last run.
    """
    some = [task for tasks in validation.values() for task in tasks[:CHOICE]]
    for result in results:
        settings, reader = result.kind.line_settings, readers.get(result.kind.name)
        chosen = result.kept.about.get("line_setting", settings[0])
        if reader is not None and some and len(settings) > 1:
            for task in some:
                asked(reader, result.kept, task, ((None, setting) for setting in settings))
            chosen = best_setting(settings, result.kept, some)
            print(f"{result.kind.name}: lines with {chosen!r}", file=sys.stderr)
        result.line_setting = result.kept.about["line_setting"] = chosen


def ask_all(
    readers: dict[str, ReaderProcess],
    results: Sequence[ReaderResults],
    tasks: Sequence[Task],
) -> None:
    """Let all readers read all pictures: picture by picture, each reader first in its turn."""
    mine = [result for result in results if result.kind.name in readers]
    if not mine:
        return
    for index, task in enumerate(tasks):
        turn = index % len(mine)
        for result in mine[turn:] + mine[:turn]:
            questions = result.kind.questions(task, result.line_setting)
            asked(readers[result.kind.name], result.kept, task, questions)
        if (index + 1) % EVERY == 0 or index + 1 == len(tasks):
            print(f"{index + 1} of {len(tasks)} pictures", file=sys.stderr)
            for result in mine:
                result.kept.save()


def sized(kind: ReaderSpec) -> float | None:
    """Return the megabytes of a reader, None, saying why, where they are not known."""
    try:
        return kind.size()
    except NotInstalledError as problem:
        print(f"size of {kind.name}: {problem}", file=sys.stderr)
        return None


def open_readers(
    results: Sequence[ReaderResults], names: Sequence[str]
) -> dict[str, ReaderProcess]:
    """Start readers; one that cannot be had is noted with its reason."""
    readers = {}
    for result in results:
        if result.kind.name not in names:
            continue
        try:
            reader = ReaderProcess(result.kind)
        except NotInstalledError as problem:
            result.problem = str(problem)
            print(f"NOT MEASURED: {result.kind.name}: {problem}", file=sys.stderr)
            continue
        readers[result.kind.name] = reader
        result.kept.about |= {
            "versions": reader.versions,
            "machine": machine(),
            "date": time.strftime("%Y-%m-%d"),
            "size": sized(result.kind),
        }
    return readers


def foot(
    results: Sequence[ReaderResults],
    tasks: dict[str, list[Task]],
    strip_count: int,
    *,
    in_turn: bool = True,
) -> str:
    """Return what has to be known to read the tables."""
    every = [task for some in tasks.values() for task in some]
    lines = [
        "Clopper and Pearson's 95 % intervals. Read at 1 % error: accepted by a bar chosen on "
        'generated validation lines, and how many of these were wrong; "at best" by the bar '
        "that suits these very lines best, which nobody has. Peers on whole pictures: the best "
        "of their settings for each figure.",
        "Length told: RapidOCR takes none; this benchmark searches what its network gives for "
        "the likeliest string of that length. Tesseract is not told.",
    ]
    if not in_turn:
        lines.append("The peers' answers and times are of an earlier run, not taken in turn.")
    for result in results:
        about = result.kept.about
        if "versions" not in about:
            continue
        versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        setting = f"; lines with {result.line_setting!r}" if result.line_setting else ""
        errors = result.errors(every)
        ended = f"; {errors} answers were errors, and count as not read" if errors else ""
        lines.append(f"{result.kind.name}: {versions}{setting}{ended}; {about['date']}.")
    for group in (item for item in (CHEQUES, FIVES) if tasks.get(item)):
        pairs = [paired(results[0], peer, tasks[group]) for peer in results[1:]]
        lines += [f"{group.capitalize()}: {pair}." for pair in pairs if pair]
    lines.append(f"{strip_count} strips a style of MNIST's test digits; {machine()}.")
    return "\n".join(f"- {line}" for line in lines) + "\n"


def parsed() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--only", metavar="SET", action="append", choices=SETS, help="repeatable"
    )
    parser.add_argument("--reader", metavar="SOURCE", help="our network, if not the published")
    parser.add_argument("--ours-only", action="store_true", help="peers' answers as kept")
    parser.add_argument("--limit", type=int, metavar="N", help="first N pictures of each set")
    parser.add_argument("--strips", type=int, default=STRIPS, help="strips of each style")
    parser.add_argument("--write", action="store_true", help="also to results/reading.md")
    options = parser.parse_args()
    if options.write and (options.only or options.limit is not None):
        parser.error("--write wants all sets and all pictures: without --only and --limit")
    if options.reader and Path(options.reader).exists():
        options.reader = str(Path(options.reader).resolve())
    if "DIGITLENS_DATA" not in os.environ:
        parser.error("set DIGITLENS_DATA to the folder with MNIST's files")
    return options


def measured(source: str | None, validation: dict[str, list[Task]]) -> list[ReaderResults]:
    """Return all readers with the answers that are kept; `source` is our reader's network."""
    kinds = [
        replace(kind, arguments=(source,)) if source and kind.name == OURS else kind
        for kind in READERS
    ]
    return [
        ReaderResults(item, AnswerCache(HOME / f"{item.name}.json"), validation=validation)
        for item in kinds
    ]


def main() -> None:
    """Run the benchmark."""
    options = parsed()
    groups = options.only or SETS
    real = os.environ.get("DIGITLENS_REAL")
    validation = validation_lines(groups, VALIDATION, HOME)
    tasks = measured_pictures(groups, options.strips, HOME, Path(real) if real else None)
    tasks = {group: some[: options.limit] for group, some in tasks.items()}
    every = [task for some in tasks.values() for task in some]
    results = measured(options.reader, validation)
    names = [OURS] if options.ours_only else [kind.name for kind in READERS]
    readers = open_readers(results, names)
    try:
        choose_settings(readers, results, validation)
        peers = {name: reader for name, reader in readers.items() if name != OURS}
        ask_all(peers, results, [task for some in validation.values() for task in some])
        ask_all(readers, results, every)
    finally:
        for reader in readers.values():
            reader.close()
    words = foot(results, tasks, options.strips, in_turn=not options.ours_only)
    text = table(results, tasks) + "\n" + words
    keep("reading", text, write=options.write)
    if any(result.problem for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
