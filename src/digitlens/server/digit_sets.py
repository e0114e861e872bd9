"""Sets of digits: what a network makes of one, and the set that a lab's user has saved.

Each saved digit is a PNG of 28 x 28 in MNIST's frame, ``<label>/<hash>.png``: what
`load_digits` reads and ``digitlens train universal --from universal --data runs/own`` learns
from.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from digitlens.data import load_digits
from digitlens.data.load import read_source
from digitlens.data.split import join
from digitlens.digits import CLASSES
from digitlens.errors import StorageError, UsageError
from digitlens.explain.explanation import round_values
from digitlens.imaging.io import encode_png, png_data_url
from digitlens.metrics.evaluation import evaluate
from digitlens.models.inference import published_names
from digitlens.server.cache import LruCache
from digitlens.server.http_errors import UnknownError
from digitlens.server.networks import USER_DIGITS, check_source, list_sources
from digitlens.server.schema_parts import CellPicture, OwnLabel
from digitlens.server.schemas import (
    CellPictures,
    DigitMap,
    Measured,
    Nearest,
    OwnList,
    Parts,
    PartUse,
    Sample,
)
from digitlens.storage import (
    make_folder,
    read_regular,
    storage_errors,
    write_bytes,
    write_text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data.split import DataSplits
    from digitlens.digits import Digits, Images
    from digitlens.explain.inspection import InspectedModel
    from digitlens.metrics.evaluation import Evaluation
    from digitlens.models.card import ModelCard
    from digitlens.models.inference import Model
    from digitlens.server.networks import NetworkStore
    from digitlens.server.settings import ServerSettings


PARTS = ("test", "validation", "train")
# Evaluations that are kept; each holds 10 probabilities for every digit.
MAX_EVALUATIONS = 8
# Sets of digits that are kept: MNIST is 47 MB.
MAX_SOURCES = 3
# Digits that are compared with another at once.
CHUNK = 4096
# Digits on a map: more would hide each other.
MAX_POINTS = 900
# The clause of `DataSplits.split` that says how many digits were used, and not which are held
# back.
_LIMITED = "; limited to "


class Mistakes:
    """Evaluates networks when asked to, and keeps the last few results."""

    def __init__(self, networks: NetworkStore, settings: ServerSettings) -> None:
        self._networks = networks
        self._settings = settings
        self._openings = OpeningCounts(settings.runs)
        self._maps: LruCache[str, tuple[InspectedModel, DigitMap]] = LruCache(MAX_EVALUATIONS)
        self._sources: LruCache[str, DataSplits] = LruCache(MAX_SOURCES)
        self._evaluations: LruCache[tuple[str, str, str], tuple[Model, Evaluation]] = LruCache(
            MAX_EVALUATIONS
        )

    def evaluate(self, network: str, data: str, part: str) -> Evaluation:
        """Return the evaluation of a network on a part of a data source.

        Raises UnknownError: no such network; UsageError: no such data, or no such part of it;
        MissingDataError, DataError: the data are not here, or hold no digits.
        """
        # load digits and network -> reuse a known result -> evaluate
        digits = self._load_digits(data, part)
        model, key = self._networks.get(network), (network, data, part)
        known = self._evaluations.get(key)
        # Both may have been loaded anew since, from a file that changed.
        if known is not None and known[0] is model and known[1].digits is digits:
            return known[1]
        # Who chooses by test digits has none left: how often a run sees them is counted.
        if part == "test" and data != USER_DIGITS and network not in published_names():
            self._openings.add(network, data)
        result = evaluate(model, digits, name=network)
        self._evaluations.put(key, (model, result))
        return result

    def parts(self, network: str, data: str) -> Parts:
        """Return what each part of a source is to a network (errors as in `evaluate`)."""
        card = self._networks.get(network).card
        if data == USER_DIGITS:
            count = len(self._load_digits(data, "test"))
            use = [describe_own(card, self._settings.user_digits, count)]
            return Parts(network, data, use, None)
        is_run = network not in published_names()
        opened = self._openings.count(network, data) if is_run else None
        return Parts(network, data, describe_parts(card, data, self._load_splits(data)), opened)

    def move_openings(self, run: str, new: str | None) -> None:
        """Keep the count of test openings of a run that was renamed; None: it was deleted."""
        self._openings.move(run, new)

    def sample(self, index: int, part: str) -> Sample:
        """Return a digit of a part, counted round; of MNIST where it is here, else of UCI.

        Raises UsageError: no such part.
        """
        digits = self._load_digits(self._find_largest(), part)
        place = index % len(digits)
        source = f"{self._find_largest()} {part}"
        label, pixels = int(digits.labels[place]), digits.images[place].tolist()
        return Sample(source, place, len(digits), label, pixels)

    def draw_map(self, network: str) -> DigitMap:
        """Return the map of a network, of held-back digits (UnknownError: no such network)."""
        inspected = self._networks.get_probe(network)[1].inspected
        known = self._maps.get(network)
        # A run may have been removed, and another given its name.
        if known is None or known[0] is not inspected:
            source = self._find_largest()
            result = draw_map(inspected, self._load_digits(source, "validation"), network)
            known = (inspected, replace(result, source=f"{source} validation"))
            self._maps.put(network, known)
        return known[1]

    def _find_largest(self) -> str:
        """Return which source of digits to take: MNIST where it is here, else UCI."""
        return "mnist" if list_sources(self._settings.user_digits)["mnist"] else "uci"

    def nearest(self, digit: Images, label: int) -> Nearest:
        """Return the training digit that is no `label` with the pixels nearest to `digit`."""
        train = self._load_splits(self._find_largest()).train
        index = np.flatnonzero(train.labels != label)
        wanted = digit.reshape(-1).astype(np.float32)
        # Compared in parts: as floats, all of MNIST would be 170 MB.
        squares = [
            np.square(part.reshape(len(part), -1) - wanted).mean(axis=1)
            for part in np.array_split(train.images[index], max(1, len(index) // CHUNK))
        ]
        distances = np.concatenate(squares)
        place = int(distances.argmin())
        item = int(index[place])
        picture = png_data_url(train.images[item], compress_level=1)
        distance = round(float(np.sqrt(distances[place])) / 255, 4)
        return Nearest(train.source, item, int(train.labels[item]), distance, picture)

    def _load_digits(self, data: str, part: str) -> Digits:
        if part not in PARTS:
            raise UsageError(f"part must be one of: {', '.join(PARTS)}", seen=part[:100])
        if data == USER_DIGITS:  # they change: read anew each time, and all of them
            check_source(data, self._settings.user_digits)
            return join([read_source(self._settings.user_digits).train], source=data)
        return self._load_splits(data).part(part)

    def _load_splits(self, data: str) -> DataSplits:
        source = self._sources.get(data)
        if source is None:
            check_source(data, self._settings.user_digits)
            source = load_digits(data)
            self._sources.put(data, source)
        return source


def summarize(result: Evaluation, data: str, part: str) -> Measured:
    """Return the figures and the confusion matrix; the pictures are asked for cell by cell."""
    figures = result.as_dict()
    names = [field.name for field in fields(Measured) if field.name != "words"]
    # Held-back digits come from the training file, whose name would say that they do not.
    figures["source"] = data if data == USER_DIGITS else f"{data} {part}"
    return Measured(**{name: figures[name] for name in names}, words=result.summary())


def list_pictures(
    result: Evaluation, truth: int, answer: int, *, first: int, count: int
) -> CellPictures:
    """Return at most `count` pictures of one cell from `first` on, the surest first."""
    # The surest mistakes first: they are the most instructive.
    index = np.flatnonzero((result.digits.labels == truth) & (result.predicted == answer))
    order = index[np.argsort(-result.confidence[index], kind="stable")]
    pictures: list[CellPicture] = [
        {
            "index": int(item),
            "confidence": round(float(result.confidence[item]), 6),
            "picture": png_data_url(result.digits.images[item], compress_level=1),
        }
        for item in order[first : first + count]
    ]
    return CellPictures(truth, answer, len(order), pictures)


def describe_parts(card: ModelCard, data: str, splits: DataSplits) -> list[PartUse]:
    """Return what each part of the source `data` is to the network of `card`."""
    held, train = len(splits.validation), len(splits.train)
    parts = [PartUse("test", len(splits.test), "no", "never trained on")]
    if card.data != data:
        seen: Literal["no", "some"] = "no"
        words = f"not trained on: {card.name} learned from {card.data}"
        # Fine-tuned networks rehearse, and began with a network that had learned from, MNIST.
        if data == "mnist" and (card.data == "world" or "rehearsed" in card.figures):
            seen, words = "some", f"some of it was trained on, with the rest of {card.data}"
        validation = PartUse("validation", held, seen, words)
        return [*parts, validation, PartUse("train", train, seen, words)]
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


def draw_map(inspected: InspectedModel, digits: Digits, network: str) -> DigitMap:
    """Return where digits lie in the space of the last hidden layer, by principal components.

    Of a file with several networks the first is taken. A digit lies at ``components @ (values
    - mean)``, where values are what layer ``layer`` gives (of maps, row after row); with one
    layer they are the pixels, 0..255.
    """
    index = np.unique(np.linspace(0, len(digits) - 1, MAX_POINTS).round().astype(int))
    images = digits.images[index]
    layers = inspected.list_layers(0)
    values = inspected.activations(images)
    hidden = values[-2] if len(layers) > 1 else images.astype(np.float32)
    vectors = hidden.reshape(len(index), -1).astype(np.float64)
    mean = vectors.mean(axis=0)
    _, spread, axes = np.linalg.svd(vectors - mean, full_matrices=False)
    # The sign of an axis is a matter of the library: the largest part is made positive.
    axes = axes[:2] * np.sign(np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)[:2])
    points = (vectors - mean) @ axes.T
    variance = np.square(spread)
    return DigitMap(
        network=network,
        source=digits.source,
        layer=len(layers) - 1,
        share=round(float(variance[:2].sum() / max(variance.sum(), 1e-12)), 4),
        mean=round_values(mean),
        components=round_values(axes),
        points=round_values(points),
        labels=digits.labels[index].tolist(),
        answers=values[-1][:, :10].argmax(axis=1).tolist(),
        index=index.tolist(),
    )


NAME = re.compile(r"[0-9a-f]{16}")

# What a person draws in years; a program that saves more is stopped.
MAX_DIGITS = 20_000


class UserDigits:
    """The digits that a lab's user has saved in `folder`, below the lab's folder `home`."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self._relative = folder.relative_to(home).as_posix()

    def names(self, label: int) -> list[str]:
        """Return the names of the digits with that label, in alphabetical order."""
        stems = (path.stem for path in self.folder.glob(f"{label}/*.png"))
        return sorted(stem for stem in stems if NAME.fullmatch(stem))

    def list_all(self) -> OwnList:
        """Return all names by label, and how to learn from the digits."""
        names = [self.names(label) for label in range(CLASSES)]
        digits: list[OwnLabel] = [
            {"label": label, "count": len(result), "names": result}
            for label, result in enumerate(names)
        ]
        train = f"digitlens train universal --from universal --data {self._relative}"
        return OwnList(self._relative, sum(map(len, names)), digits, train)

    def save(self, digit: Images, label: int) -> str:
        """Save a digit, uint8 (28, 28), and return its name."""
        assert 0 <= label < CLASSES, "the request was checked"
        # Named by its pixels: the same digit saved twice is one file.
        name = hashlib.sha256(digit.tobytes()).hexdigest()[:16]
        folder = self.folder / str(label)
        make_folder(folder)
        path = folder / f"{name}.png"
        if not path.exists():
            write_bytes(path, encode_png(digit, compress_level=1))
        return name

    def check_limit(self, n_more: int) -> None:
        """Raise StorageError where `n_more` digits would be more than `MAX_DIGITS`."""
        count = sum(len(self.names(label)) for label in range(CLASSES))
        if count + n_more > MAX_DIGITS:
            raise StorageError(
                f"{MAX_DIGITS:,} digits of your own are kept",
                seen=f"{count:,}",
                try_="remove some",
            )

    def read_png(self, label: int, name: str) -> bytes:
        """Return a saved digit as PNG; UnknownError where there is none of that name."""
        try:
            return read_regular(self._path(label, name))
        except OSError as error:
            raise _unknown_digit(label, name) from error

    def delete(self, label: int, name: str) -> None:
        """Remove a saved digit.

        Raises UnknownError: there is none of that name; StorageError: it cannot be removed.
        """
        path = self._path(label, name)
        if not path.is_file():
            raise _unknown_digit(label, name)
        with storage_errors(path):
            path.unlink(missing_ok=True)
        try:
            path.parent.rmdir()  # an empty class folder is an error to load_digits
        except OSError:  # others are left
            return

    def _path(self, label: int, name: str) -> Path:
        """Return where a digit lies: a path of nothing but a label and a hash."""
        if not 0 <= label < CLASSES or not NAME.fullmatch(name):
            raise _unknown_digit(label, name)
        return self.folder / str(label) / f"{name}.png"


def _unknown_digit(label: int, name: str) -> UnknownError:
    return UnknownError(
        f"there is no digit {name[:32]!r} of yours with the label {label}",
        try_="/v1/own lists all",
    )
