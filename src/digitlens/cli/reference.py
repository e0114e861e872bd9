"""docs/cli.md: the help text of every command, generated so that it cannot drift.

``python -m digitlens.cli.reference`` prints the page; its file is written with
``python -m digitlens.cli.reference docs/cli.md``.

* What ``--json`` and ``--csv`` print: the keys and what they mean, for docs/cli.md.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.cli.command import MAX_WIDTH, help_text

if TYPE_CHECKING:
    from collections.abc import Iterator


FORMS: dict[str, dict[str, str]] = {
    "digitlens data info --json": {
        "source": "what was asked for",
        "split": "in words, what is held back and by which rule",
        "parts": "train and validation: `digits`, `classes` (how many of each, 0 first); "
        "test: `digits`",
        "sha256": "of each file that was read, by file name",
    },
    "digitlens evaluate --json": {
        "format": "1; another number when a key changes its meaning",
        "model": "its name",
        "source": "where the digits come from",
        "count": "digits, none left out",
        "misses": "wrong answers",
        "accuracy": "right answers, as a share 0..1",
        "interval": "95 % Wilson interval of the accuracy: low, high",
        "undisputed": "`misses`, `count`, `accuracy` without MNIST's disputed labels, or null",
        "nll": "negative log likelihood, the mean in nats",
        "brier": "Brier score, 0..2",
        "calibration": "`error`, the expected calibration error; `bins`",
        "coverage": "a list: `error_rate`, `answered`, `misses`, `share`, `threshold`",
        "per_class": "a list: `digit`, `count`, `misses`, `answered`, `recall`, `precision`",
        "confusion": "10 x 10 counts, a row for each truth",
        "wrong": "every mistake, the surest first: `index`, `position`, `label`, "
        "`predicted`, `confidence`, `truth_probability`",
        "seconds": "for all digits",
        "digits_per_second": "`count` / `seconds`",
    },
    "digitlens compare --json": {
        "format": "as in evaluate",
        "source": "where the digits come from",
        "count": "digits, the same for all models",
        "models": "a list, each as evaluate prints it",
        "bar": "the p-value under which a pair differs: 0.05 shared among the pairs",
        "pairs": "a list: `first`, `second` (places in `models`), `only_first`, "
        "`only_second` (digits that one alone got right), `both_wrong`, `p`, `differs`",
    },
    "digitlens stress --json": {
        "format": "1; another number when a key changes its meaning",
        "model": "its name",
        "source": "where the digits come from",
        "count": "digits read at each strength",
        "seed": "of the chance in the changes",
        "mean_accuracy": "of the network alone, over all families and strengths above 0, 0..1",
        "framed_mean_accuracy": "the same after framing",
        "families": "a list: `family`, `unit`, `strengths`, and for each strength `misses`, "
        "`intervals` (95 %, of the accuracy), `framed_misses`, `framed_intervals`",
    },
    "digitlens summary NETWORK --json": {
        "name": "the network",
        "weights": "numbers that training changes",
        "multiply_adds": "for one digit",
        "layers": "a list: `layer`, `shape`, `weights`, `multiply_adds`",
    },
    "digitlens predict --json": {
        "model": "its name",
        "predictions": "a list: `file`, `digit` (null: no digit), `confidence` 0..1, "
        "`probabilities` of 0 to 9; of a model that knows what is no digit also `no_digit` "
        "0..1 and `likeliest`, the digit that it would be",
        "rejected": "a list: `file`, `error`",
    },
    "digitlens predict --csv": {
        "file": "as it was named",
        "digit": "0 to 9, or empty: no digit",
        "confidence": "0..1, six decimals",
    },
    "digitlens route FILE --json": {
        "file": "as it was named",
        "zip": "the ZIP that is accepted, five digits as text; null: a person must look",
        "zip4": "with the four digits behind the dash, where nine were read, or null",
        "probability": "that the likeliest ZIP is right, 0..1",
        "reason": "why a person must look: `unreadable`, `no-digits`, `length`, "
        "`unknown-zip`, `other-place`, `unsure`; or null",
        "why": "the same as a sentence, or empty",
        "guesses": "at most three: `zip`, `probability`, `city`, `state` (null: no such ZIP)",
        "text": "the digits as read",
        "tray": "of the plan; `review` where a person must look; null without a plan",
    },
    "digitlens route FOLDER --json": {
        "pieces": "in the trays, those of earlier runs included",
        "new": "those that this run read",
        "accepted": "with a ZIP that the program accepted",
        "settled": "with a ZIP that a person gave",
        "waiting": "in the review queue",
        "unsortable": "that a person gave up on",
        "read_rate": "`accepted` / `pieces`",
        "expected_errors": "how many accepted ones are wrong, as their probabilities say",
        "reasons": "pieces by the reason why a person must look, settled ones included",
        "trays": "pieces by tray",
        "moved": "pieces that were moved because the plan has changed",
        "would_move": "pieces that lie elsewhere than the plan says, and were left there",
        "missing": "pieces whose file is no longer in its folder, by folder",
        "changed": "pictures that changed after they were sorted",
        "copies": "pieces copied because no link could be made",
        "seconds": "for the new pieces",
    },
    "digitlens mail corrections --json": {
        "corrections": "that people made in review",
        "lines": "that were saved, each with its ZIP",
        "digits": "that were saved, one by one",
        "unread": "pieces that a person could not read either",
        "other": "pieces where the program had read another line, or none",
        "unseen": "pieces whose picture is gone or damaged",
    },
    "pieces.csv of digitlens route, and the pieces of pieces.json": {
        "piece": "its number, 1 for the first",
        "name": "of the picture, below the folder that was sorted",
        "decision": "`accepted`, `settled` (by a person), `review` or `unsortable`",
        "zip": "five digits as text, or empty",
        "zip4": "with the four digits behind the dash, or empty",
        "probability": "that the likeliest ZIP is right, 0..1",
        "reason": "as above",
        "why": "as above",
        "text": "the digits as read",
        "digits": "the confidence of each of them",
        "city": "of the ZIP",
        "state": "of the ZIP",
        "plant": "that the tray goes to, where the plan names it",
        "tray": "the folder that it is in",
        "file": "its place below DIR",
        "barcode": "65 letters T A D F: Intelligent Mail, with the piece's number as serial",
        "person": "who settled it, or empty",
        "source": "the picture, as an absolute path",
    },
    "digitlens read --json": {
        "format": "1; another number when a key changes its meaning",
        "model": "the line network's name",
        "max_error": "as it was asked for, or null",
        "bars": "a list, one for each field, or one: `field` (its name, or null), "
        "`confidence` from which on a number is sure (null: none is)",
        "pictures": "a list, each on a line of its own: `file`, `page` (from 1, or null), "
        "`size` (width, height), `turn` (degrees), `lines`, `tables`. A line: `field`, "
        "`sure`, `text`, `confidence` 0..1, `box` (left, top, right, bottom), `digits`, "
        "`alternatives`. See docs/reading.md",
        "rejected": "a list: `file`, `page`, `error`",
    },
    "digitlens read --csv": {
        "file": "as it was named, or stdin",
        "page": "from 1; empty for a picture by itself",
        "field": "the field's name; empty where no field was asked for",
        "text": "the number; leading zeros belong to it",
        "confidence": "0..1, six decimals",
        "sure": "true or false",
        "left": "of the number's box, in pixels of the upright picture, one decimal",
        "top": "likewise",
        "right": "likewise, just outside",
        "bottom": "likewise",
    },
    "digitlens explain --json": {
        "model": "its name",
        "network": "its architecture",
        "members": "how many networks the model is made of",
        "member": "whose layers these are: 0 of an ensemble, of a cascade what answered",
        "digit": "the answer, 0 to 9",
        "confidence": "its probability, 0..1",
        "probabilities": "of 0 to 9",
        "no_digit": "how likely it is that there is no digit, 0..1, or null: not known",
        "refused": "whether that is above the model's threshold, or null",
        "steps": "of the framing, a list: `name`, `about`, `picture` (rows of pixels, each a "
        "grey value 0..255 or three)",
        "pixels": "28 rows of 28, 0 = paper, 255 = ink: what the model sees",
        "unrolled": "784 features 0..1, row by row",
        "filters": "the first layer's kernels on grey values 0..255; of a dense layer the "
        "first 64 rows, as 28 x 28",
        "layers": "a list: `name`, `about`, `values` (maps of rows, or a plain list)",
        "occlusion": "`odds`, the answer's log-odds; `window`, pixels wide and high; `fall` "
        "(28 x 28), what the log-odds lose when the window about a pixel is turned to paper; "
        "`answers` (28 x 28), the digit that is then read",
        "gradients": "28 x 28: what each pixel adds to the log-odds, from blank paper "
        "(integrated gradients); null without torch",
        "file": "the picture, as it was named",
        "pictures": "the folder of the PNGs, or null where they could not be drawn",
    },
    "digitlens doctor --json, a list": {
        "name": "what was looked at",
        "state": "`ok`; `note`, not needed or not yet here; `broken`",
        "seen": "what was found",
        "advice": "what helps, or empty",
    },
}
"""For each command: its keys, or columns, in order, and what they mean."""


def as_markdown() -> str:
    """Return all forms as Markdown."""
    parts = ["## JSON and CSV", "Keys keep their names and meanings from release to release."]
    for title, keys in FORMS.items():
        rows = [f"| `{key}` | {meaning} |" for key, meaning in keys.items()]
        parts.append("\n".join([f"### {title}", "", "| key | |", "|---|---|", *rows]))
    parts.append(
        "`digitlens summary MODEL --json` prints the fields of the model's card "
        "(`digitlens.models.card.ModelCard`)."
    )
    return "\n\n".join(parts) + "\n"


HEAD = """# The command line

Generated by `python -m digitlens.cli.reference docs/cli.md`; a test compares the
page with the program.
"""


def commands() -> Iterator[tuple[str, Any]]:
    """Walk over every command as (its words, what typer made of it), groups first."""
    from digitlens.cli.app import root

    def walk(words: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield words, command
        if hasattr(command, "commands"):
            for name in command.list_commands(None):
                yield from walk(f"{words} {name}", command.commands[name])

    yield from walk("digitlens", root())


def page() -> str:
    """Return the page with the help text of every command, in Markdown."""
    parts = [HEAD]
    for words, command in commands():
        parts.append(f"## {words}\n\n```\n{help_text(command, words, width=MAX_WIDTH)}\n```\n")
    return "\n".join([*parts, as_markdown()])


if __name__ == "__main__":
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
