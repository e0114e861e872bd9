"""What ``--json`` and ``--csv`` print: the keys and what they mean, for docs/cli.md.

A key keeps its name and its meaning from release to release; new ones may come.
"""

from __future__ import annotations

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
    "digitlens summary NETWORK --json": {
        "name": "the network",
        "weights": "numbers that training changes",
        "multiply_adds": "for one digit",
        "layers": "a list: `layer`, `shape`, `weights`, `multiply_adds`",
    },
    "digitlens predict --json": {
        "model": "its name",
        "predictions": "a list: `file`, `digit`, `confidence` 0..1, `probabilities` of 0 to 9",
        "rejected": "a list: `file`, `error`",
    },
    "digitlens predict --csv": {
        "file": "as it was named",
        "digit": "0 to 9",
        "confidence": "0..1, six decimals",
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
        "(`digitlens.card.Card`)."
    )
    return "\n\n".join(parts) + "\n"
