"""What a part of a data source is to a network: digits that it learned from, or never saw."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from digitlens.server.schemas import PartUse
from digitlens.storage import make_folder, read_regular, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data.split import DataSplits
    from digitlens.models.card import ModelCard

# A clause of `DataSplits.split`: only how many digits were used, not which are held back.
_LIMITED = "; limited to "


def describe_parts(card: ModelCard, data: str, splits: DataSplits) -> list[PartUse]:
    """Return what each part of the source `data` is to the network of `card`."""
    held, train = len(splits.validation), len(splits.train)
    parts = [PartUse("test", len(splits.test), "no", "never trained on")]
    # Nothing of this source, alone or among others, nor rehearsed from a network before it.
    if card.data != data and not _includes(card, data):
        words = f"not trained on: {card.name} learned from {card.data}"
        validation = PartUse("validation", held, "no", words)
        return [*parts, validation, PartUse("train", train, "no", words)]
    if card.data != data:
        words = f"some of it was trained on, with the rest of {card.data}"
        validation = PartUse("validation", held, "some", words)
        return [*parts, validation, PartUse("train", train, "some", words)]
    # The same source: the same digits were held back where the rule in words is the same.
    if card.split.split(_LIMITED)[0] == splits.split.split(_LIMITED)[0]:
        words = "held back from training; the epoch was chosen by it"
        parts.append(PartUse("validation", held, "no", words))
    elif card.trained_on >= train + held:
        parts.append(PartUse("validation", held, "all", "seen in training"))
    else:
        parts.append(PartUse("validation", held, "some", "others were held back in training"))
    if card.trained_on >= train:
        parts.append(PartUse("train", train, "all", "seen in training"))
    else:
        words = f"{card.trained_on:,} of them were trained on"
        parts.append(PartUse("train", train, "some", words))
    return parts


def _includes(card: ModelCard, data: str) -> bool:
    """Whether a network of another source has seen digits of `data` all the same."""
    # Fine-tuned networks rehearse, and began with a network that had learned from, MNIST.
    return data == "mnist" and (card.data == "world" or "rehearsed" in card.figures)


def describe_own(card: ModelCard, folder: Path, count: int) -> PartUse:
    """Return what the lab user's own digits, `count` of them now, are to the network."""
    if card.data not in (str(folder), str(folder.resolve())):
        return PartUse("all", count, "no", "not trained on")
    if card.trained_on >= count:
        return PartUse("all", count, "all", "seen in training")
    return PartUse("all", count, "some", f"{card.trained_on:,} of them were trained on")


class OpeningCounts:
    """How often the test digits were measured with a run of this lab, kept in its folder."""

    def __init__(self, runs: Path) -> None:
        self._path = runs / "test-openings.json"
        self._lock = threading.Lock()

    def count(self, network: str, data: str) -> int:
        """Return how often `network` was measured on the test digits of `data`."""
        return self._load().get(network, {}).get(data, 0)

    def add(self, network: str, data: str) -> None:
        """Count one more (StorageError: it cannot be written)."""
        with self._lock:
            counts = self._load()
            of_network = counts.setdefault(network, {})
            of_network[data] = of_network.get(data, 0) + 1
            make_folder(self._path.parent)
            write_text(self._path, json.dumps(counts, indent=1) + "\n")

    def move(self, network: str, new: str | None) -> None:
        """Count for `new` what was counted for `network`, which is gone; None: nothing is."""
        with self._lock:
            counts = self._load()
            known = counts.pop(network, None)
            if known is None:
                return
            if new is not None:
                counts[new] = known
            write_text(self._path, json.dumps(counts, indent=1) + "\n")

    def _load(self) -> dict[str, dict[str, int]]:
        try:
            counts = json.loads(read_regular(self._path))
        except (OSError, ValueError):  # none yet, or a damaged file: counted anew
            return {}
        return counts if isinstance(counts, dict) else {}
