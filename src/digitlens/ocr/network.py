"""The line network's file, run by ONNX Runtime: a line's pixels -> log-probabilities."""

from __future__ import annotations

import json
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc.confidence import ConfidenceModels
from digitlens.ctc.rescoring import find_digit_steps, rescore
from digitlens.errors import MissingDataError, ModelError
from digitlens.imaging.crop import (
    HEIGHT,
    PITCH,
    WINDOW,
    cut_windows,
    input_width,
    prepare_line,
)
from digitlens.models.card import (
    CALIBRATIONS_KEY,
    LOG_PROBS,
    STRIP,
    LineModelCard,
    RescorerModelCard,
    SignModelCard,
)
from digitlens.models.checksum import PUBLISHED_FOLDER, graph_digest, verify_checksum
from digitlens.models.inference import check_finite, open_session
from digitlens.models.onnx_graph import read_metadata
from digitlens.models.recipe import HELPERS, RESCORER, SIGNS
from digitlens.storage import is_file, is_folder, read_file, read_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.ctc.probs import Probs


WIDTH_MULTIPLE = 8  # widths are padded to a multiple of this with the mean grey, as in training

PUBLISHED = PUBLISHED_FOLDER / "lines"
"""The line networks that come with digitlens."""


class LineRecognizer:
    """A network that reads lines; made by `load_line_recognizer`.

    path: the ONNX file
    content: its bytes

    Raises ModelError: the bytes are no ONNX file, or not one of a line network, or its
    calibrations cannot be read.
    """

    CARD: type[LineModelCard] = LineModelCard

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.has_checksum = verify_checksum(path, content)
        self._session = open_session(path, content)
        inputs = [entry.name for entry in self._session.get_inputs()]
        outputs = [entry.name for entry in self._session.get_outputs()]
        # Is it a line network at all?
        if inputs != [STRIP] or LOG_PROBS not in outputs:
            raise ModelError(
                f"{path} must be a network that reads lines",
                seen=f"inputs {inputs}, outputs {outputs}",
                likely="a network for single digits" if inputs == ["pixels"] else None,
                try_="digitlens predict asks such a one" if inputs == ["pixels"] else None,
            )
        # What digitlens wrote into the file: the card, and the calibrations if it has any.
        metadata = self._session.get_modelmeta().custom_metadata_map
        if self.CARD.KEY not in metadata:
            is_helper = any(kind.CARD.KEY in metadata for kind in (SignRecognizer, Rescorer))
            raise ModelError(
                f"{path} must be a network that reads lines, written by digitlens",
                seen="the card of another kind" if is_helper else "no card of digitlens inside",
                likely="it helps readers" if is_helper else "another program made it",
            )
        self.card = self.CARD.from_json(metadata[self.CARD.KEY])
        raw = metadata.get(CALIBRATIONS_KEY)
        self.calibrations = _parse_calibrations(path, raw) if raw else None
        if not 0 <= self.card.rescorer_weight < np.inf:  # so it is for what is no number, too
            raise ModelError(
                f"the weight of {path}'s rescorer must be 0 or greater",
                seen=str(self.card.rescorer_weight),
                likely="the file is damaged",
            )

    def __repr__(self) -> str:
        return f"LineRecognizer({self.path})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the path only: another process loads the file itself."""
        return load_line_recognizer, (self.path,)

    @cached_property
    def graph_digest(self) -> str:
        """The SHA-256 of its nodes and weights: another card leaves it as it is."""
        return graph_digest(self.path.read_bytes())

    @cached_property
    def rescorer(self) -> Rescorer | None:
        """The network that looks at its digits again; None where it was published without.

        Raises ModelError: none is there, or another than the one it was measured with.
        """
        if not self.card.rescorer:
            return None
        try:
            rescorer = load_rescorer()
        except MissingDataError as error:  # it is no picture that is missing
            raise ModelError(
                f"{self.path} must be read with the rescorer that it was measured with",
                seen=str(error),
                try_="install digitlens again",
            ) from error
        if rescorer.graph_digest != self.card.rescorer:
            raise ModelError(
                f"{self.path} must be read with the rescorer that it was measured with",
                seen=f"{rescorer.graph_digest[:12]}, wanted {self.card.rescorer[:12]}",
                likely="it is from another version of digitlens",
            )
        return rescorer

    def rescore(self, gray: NDArray[np.uint8], probs: Probs) -> Probs:
        """Look again at each place of a line that may be a digit.

        gray: uint8 (h, w): the line
        probs: float64 (T, 11): what `log_probs` said of it, from `to_probs`

        Returns float64 (T, 11): the same with the rescorer's opinion taken in.
        """
        if self.rescorer is None:
            return probs
        steps = find_digit_steps(probs)
        if not len(steps):
            return probs
        said = self.rescorer.judge(gray, steps)
        return rescore(probs, steps, said, self.card.rescorer_weight)

    def log_probs(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Say what each time step of a line shows.

        gray: uint8 (h, w): a line of digits that fills the height, 0 = black, 255 = white

        Returns float32 (T, C): natural logarithms of the probability of each digit and of
        blank, or of each sign; a time step every two columns of the line at 32 pixels height.
        """
        line = prepare_line(gray)
        width = line.shape[1]
        padded_width = -(-width // WIDTH_MULTIPLE) * WIDTH_MULTIPLE
        # 0 is the mean grey.
        padded = np.zeros((1, 1, HEIGHT, padded_width), np.float32)
        padded[0, 0, :, :width] = line
        (answer,) = self._session.run([LOG_PROBS], {STRIP: padded})
        check_finite(self.path, answer)
        # The steps of the padding are no part of the line.
        log_probs: NDArray[np.float32] = answer[0, : -(-width // PITCH)]
        return log_probs


class SignRecognizer(LineRecognizer):
    """The network that tells digits from letters and marks; made by `load_sign_recognizer`.

    Its `log_probs` are float32 (T, 5): of a digit, a letter, a separator, a point, a mark.
    """

    CARD = SignModelCard

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the path only."""
        return load_sign_recognizer, (self.path,)


class Rescorer(LineRecognizer):
    """The network that looks at a line's digits one by one; made by `load_rescorer`."""

    CARD = RescorerModelCard

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the path only."""
        return load_rescorer, (self.path,)

    def judge(
        self, gray: NDArray[np.uint8], steps: NDArray[np.integer[Any]]
    ) -> NDArray[np.float32]:
        """Say which digit has its middle at each of some time steps.

        gray: uint8 (h, w): a line, as `LineRecognizer.log_probs` takes it
        steps: int64 (N,): time steps of what that gives for it

        Returns float32 (N, 11): natural logarithms of the probability of each digit, and of no
        digit in the middle.
        """
        line = prepare_line(gray, WINDOW)
        scale = line.shape[1] / input_width(*gray.shape)
        windows = cut_windows(line, (PITCH * steps + PITCH / 2) * scale)
        (answer,) = self._session.run([LOG_PROBS], {STRIP: windows[:, None]})
        check_finite(self.path, answer)
        log_probs: NDArray[np.float32] = answer[:, 0]
        return log_probs


def _parse_calibrations(path: Path, raw: str) -> ConfidenceModels:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"the calibrations in {path} must be JSON", seen=f"{type(error).__name__}: {error}"
        ) from error
    return ConfidenceModels.from_dict(values)


def load_line_recognizer(source: str | Path = "reader") -> LineRecognizer:
    """Load a line network: a published one by its name, or an .onnx file.

    Raises ModelError: there is no such file, or it is none of a line network.
    """
    return LineRecognizer(*read_line_network(source))


def read_line_network(source: str | Path = "reader") -> tuple[Path, bytes]:
    """Return path and bytes of a line network; ModelError where there is no such file."""
    # A published name, a run folder, a file: in this order.
    path = PUBLISHED / f"{source}.onnx"
    if not is_file(path):
        path = Path(source)
    if is_folder(path):
        path = path / "model.onnx"
    try:
        content = read_regular(path)
    except OSError as error:
        names = sorted({item.stem for item in PUBLISHED.glob("*.onnx")}.difference(HELPERS))
        raise ModelError(
            f"{source} is no line network: wanted a published name, a run folder or a file",
            seen=error.strerror,
            try_=f"a published one: {', '.join(names)}" if names else None,
        ) from error
    return path, content


def find_line_network(source: str | Path) -> LineRecognizer | None:
    """Return the network of lines, signs or single digits that `source` names, or None.

    source: a published one by its name, a run folder, or an .onnx file

    Raises ModelError: it is one, and damaged.
    """
    try:
        path, content = read_line_network(source)
        metadata = read_metadata(content)
    except (ModelError, ValueError, LookupError):  # nothing there, or no file of ours
        return None
    kinds = (LineRecognizer, SignRecognizer, Rescorer)
    kind = next((kind for kind in kinds if kind.CARD.KEY in metadata), None)
    return kind and kind(path, content)


@cache
def load_sign_recognizer(path: Path = PUBLISHED / f"{SIGNS}.onnx") -> SignRecognizer:
    """Load the network that tells signs apart; once a process.

    Raises
    ------
    ModelError
        The file is none of such a network.
    MissingDataError, DataError
        There is none, or it cannot be read.
    """
    return SignRecognizer(path, read_file(path).content)


@cache
def load_rescorer(path: Path = PUBLISHED / f"{RESCORER}.onnx") -> Rescorer:
    """Load the network that looks at a line's digits one by one; once a process.

    Errors are those of `load_sign_recognizer`.
    """
    return Rescorer(path, read_file(path).content)
