"""Labels that are likely wrong, pictures that lie another way, and copies of pictures.

Wrong labels are found by confident learning (Northcutt, Jiang and Chuang, Journal of Artificial
Intelligence Research 70, 2021, 1373-1411; the method of cleanlab), from what a network that has
not learnt from these labels makes of the digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import CLASSES, Digits, Images, Indices, Labels
from digitlens.metrics.evaluation import Predictor
from digitlens.metrics.formatting import facts, plural

# How a picture may lie, and what brings it back.
CHANGES: dict[str, Callable[[Images], Images]] = {
    "inverted": lambda images: 255 - images,
    "on its head": lambda images: images[:, ::-1, ::-1],
    "turned left": lambda images: np.rot90(images, -1, (1, 2)),
    "turned right": lambda images: np.rot90(images, 1, (1, 2)),
    "mirrored": lambda images: images[:, :, ::-1],
}

SURE = 0.9  # the probability from which a network's answer counts as sure
CERTAIN = 0.99  # from which a picture stands as it should
_BLOCK = 1000  # pictures that are compared with the others at once
ALIKE = 0.995  # the cosine of two pictures from which they are taken for one


@dataclass(frozen=True)
class LabelIssue:
    """Something about one digit that a person should look at."""

    index: int  # its place among the digits
    kind: str  # "label", "no digit", "duplicate", "contradiction", or a key of `CHANGES`
    label: int  # as it is labelled
    likely: int  # the digit that the network sees; of a changed picture its label
    # what the network gives the label, and what it gives `likely`: 0..1
    label_probability: float
    likely_probability: float
    other: int | None = None  # of a duplicate: the place of the first such picture

    @property
    def about(self) -> str:
        """What is likely, in words."""
        words = {
            "label": f"looks like a {self.likely}",
            "no digit": "looks like no digit",
            "duplicate": f"the same picture as no. {self.other}",
            "contradiction": f"the same picture as no. {self.other}, which has another label",
        }
        return words.get(self.kind, f"is {self.kind}: put right, it is a {self.likely}")


@dataclass(frozen=True)
class LabelCheck:
    """What is likely wrong with a set of labelled digits."""

    model: str  # the network that looked
    count: int  # the digits that were looked at
    issues: tuple[LabelIssue, ...]  # by kind, the likeliest first

    @property
    def kinds(self) -> dict[str, int]:
        """How many issues there are of each kind."""
        kinds: dict[str, int] = {}
        for issue in self.issues:
            kinds[issue.kind] = kinds.get(issue.kind, 0) + 1
        return kinds

    def summary(self, source: str) -> str:
        """Return how many there are of each kind, as text for a terminal."""
        head = f"{plural(self.count, 'digit')} of {source}, looked at by {self.model}"
        rows = [(kind, f"{count:,}") for kind, count in self.kinds.items()]
        return "\n".join([head, *(facts(rows) or ["  nothing looks wrong"])])

    def as_dict(self, names: Sequence[str] = ()) -> dict[str, Any]:
        """Return everything for JSON; `names` are the digits' files, where they have any."""
        issues = [
            {"file": names[issue.index] if names else None, **asdict(issue)}
            for issue in self.issues
        ]
        return {"model": self.model, "count": self.count, "kinds": self.kinds, "issues": issues}


def check_labels(model: Predictor, digits: Digits) -> LabelCheck:
    """Look for labels, pictures and pairs of pictures that are likely wrong.

    model: has not learnt from these labels, or it would agree with them
    digits: one at least
    """
    answers = model.predict(digits.images)
    probs, labels = np.asarray(answers.probabilities, np.float64), digits.labels
    own = probs[np.arange(len(digits)), labels]
    likely = suggest_labels(labels, probs)
    refused = getattr(answers, "refused", None)
    refused = np.zeros(len(digits), np.bool_) if refused is None else refused
    # What is surely another digit as it stands has another label: that is far more common.
    doubtful = refused | ((likely != labels) & (probs.max(axis=1) < CERTAIN))
    turned = _find_changes(model, digits, np.flatnonzero(doubtful))

    issues = []
    for index in range(len(digits)):
        label, seen = int(labels[index]), int(likely[index])
        kind, sure = "", float(probs[index, seen])
        if index in turned:
            (kind, sure), seen = turned[index], label
        elif seen != label:
            kind = "label"
        elif refused[index]:
            kind = "no digit"
        if kind:
            issues.append(LabelIssue(index, kind, label, seen, float(own[index]), sure))
    for index, other in find_duplicates(digits.images):
        label = int(labels[index])
        kind = "duplicate" if labels[other] == label else "contradiction"
        share = float(own[index])
        issues.append(LabelIssue(index, kind, label, label, share, share, other))
    order = ["label", *CHANGES, "contradiction", "duplicate", "no digit"]
    issues.sort(key=lambda item: (order.index(item.kind), item.label_probability, item.index))
    return LabelCheck(model.name, len(digits), tuple(issues))


def suggest_labels(labels: Labels, probs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the digit that each is likely to be: its label, unless much speaks against it.

    A digit is confidently of a class where its probability is at least the mean of those that
    are labelled so; the likeliest of these classes is suggested. So a network that is unsure of
    a class in general needs less to be believed, and one that is sure of it more.

    labels: whole numbers (N,), 0..9
    probs: (N, 10), of a network that has not learnt from these labels

    >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.97, 0.03]])
    >>> suggest_labels(np.array([0, 0, 1, 1]), np.pad(probs, ((0, 0), (0, 8)))).tolist()
    [0, 0, 1, 0]
    """
    bars = np.full(CLASSES, np.inf)
    for digit in range(CLASSES):
        if (mine := labels == digit).any():
            bars[digit] = probs[mine, digit].mean()
    confident = np.where(probs >= bars, probs, -1.0)
    best = confident.argmax(axis=1)
    suggested: NDArray[np.int64] = np.where(confident.max(axis=1) >= 0, best, labels)
    return suggested.astype(np.int64)


def _find_changes(
    model: Predictor, digits: Digits, doubtful: Indices
) -> dict[int, tuple[str, float]]:
    """Return for digits of which a change makes surely what their label says: the change."""
    result: dict[int, tuple[str, float]] = {}
    if not len(doubtful):
        return result
    labels, rows = digits.labels[doubtful], np.arange(len(doubtful))
    for name, change in CHANGES.items():
        images = np.ascontiguousarray(change(digits.images[doubtful]))
        answers = model.predict(images)
        sure = np.asarray(answers.probabilities)[rows, labels]
        refused = getattr(answers, "refused", None)
        good = (sure >= SURE) & ~(np.zeros_like(rows, bool) if refused is None else refused)
        # A 6 on its head is a 9: of these two a wrong label is as likely, and more often so.
        if name == "on its head":
            good &= (labels != 6) & (labels != 9)
        for place in np.flatnonzero(good):
            index, share = int(doubtful[place]), float(sure[place])
            if share > result.get(index, ("", 0.0))[1]:
                result[index] = name, share
    return result


def find_duplicates(images: Images) -> list[tuple[int, int]]:
    """Return (index, earlier index) of pictures that are the same, or nearly.

    Pictures without ink are passed over. In blocks, so that memory stays small.

    >>> images = np.zeros((3, 28, 28), np.uint8)
    >>> images[[0, 2], 5:20, 14] = 255
    >>> images[1, 5, 5:20] = 255
    >>> find_duplicates(images)
    [(2, 0)]
    """
    rows = images.reshape(len(images), -1).astype(np.float32)
    size = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.maximum(size, 1)
    pairs = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        alike = block @ rows[: start + len(block)].T >= ALIKE
        for offset in np.flatnonzero(alike.sum(axis=1) > 1):
            first = int(alike[offset].argmax())
            if first < start + offset:
                pairs.append((start + int(offset), first))
    return pairs
