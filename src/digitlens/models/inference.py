"""A model: an ONNX file and its card -> predictions, without torch.

`load_model` finds the file, `Model.predict` answers. `open_session` is the one place that
opens ONNX Runtime, for readers of lines and for looks inside too.
"""

from __future__ import annotations

import math
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import CLASSES, SIDE, Images, check_images
from digitlens.errors import ModelError, RunError, suggest
from digitlens.metrics.formatting import WIDTH, hang
from digitlens.models.card import LineModelCard, ModelCard
from digitlens.models.checksum import PUBLISHED_FOLDER, verify_checksum
from digitlens.models.copies import HUB, fetch_from_hub
from digitlens.models.predictions import Prediction, Predictions
from digitlens.models.registry import DEFAULT_NETWORK, NETWORKS
from digitlens.runs import CONFIG, MODEL, RUNS, read_config
from digitlens.storage import is_folder, read_regular
from digitlens.workers import available_cpus

# What digit models call their input and their outputs: see `onnx_writer.to_onnx`.
INPUT = "pixels"
LOGITS = "logits"
PROBABILITIES = "probabilities"
NO_DIGIT = "no_digit"

# Digits in a call of ONNX Runtime: enough to hide its overhead, few enough for the cache.
CHUNK = 500


class Model:
    """A trained network that answers; made by `load_model`.

    `content` is the bytes of the ONNX file `path`; ModelError if digitlens did not write them,
    or they are damaged. Without `threads` it uses all cores that this process may use.
    """

    def __init__(self, path: Path, content: bytes, *, threads: int | None = None) -> None:
        self.path = path
        self.threads = threads or available_cpus()
        self._pools: dict[int, ThreadPoolExecutor] = {}
        verify_checksum(path, content)
        self._session = open_session(path, content)
        self.card = _read_card(path, self._session)
        self._gives_no_digit = NO_DIGIT in _output_names(self._session)

    def __repr__(self) -> str:
        return f"Model({self.name!r}, {self.path})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the path only: another process loads the file itself."""
        return partial(load_model, threads=self.threads), (self.path,)

    @property
    def name(self) -> str:
        """The model's name, from its card."""
        return self.card.name

    def __call__(self, pictures: Any) -> Prediction | Predictions:
        """Say which digits any pictures show: one gives a `Prediction`, several `Predictions`.

        pictures: what `digitlens.predict` takes
        """
        from digitlens.imaging.pictures import frame_pictures

        images, names, single = frame_pictures(pictures)
        answers = replace(self.predict(images), images=images, names=names)
        return answers[0] if single else answers

    def predict(self, images: Any) -> Predictions:
        """Say which digits `images` show.

        images: uint8 (N, 28, 28); 0 = paper, 255 = ink. Big batches are split and spread over
            the cores; N may be 0. (28, 28), (N, 784), channels, tensors, lists and fractions
            0..1 are brought into that form and otherwise taken as they are, so that a shifted
            digit stays shifted. All else (paths, Pillow pictures, bytes, open files, arrays of
            other sizes) is framed as `digitlens.predict` does it.

        Raises ShapeError: no pictures, or numbers that are neither 0..255 nor 0..1; ModelError:
        the network gives something else than numbers; as `frame_digit` where it is framed.

        >>> model = load_model("runs/train/cnn-1")  # doctest: +SKIP
        >>> model.predict(np.zeros((3, 28, 28), np.uint8)).probabilities.shape  # doctest: +SKIP
        (3, 10)
        """
        form = getattr(images, "dtype", None), getattr(images, "shape", ())[1:]
        if isinstance(images, np.ndarray) and form == (np.uint8, (SIDE, SIDE)):
            return self._answer(images)
        from digitlens.imaging.pictures import frame_pictures

        images, names, _ = frame_pictures(images, framed=True)
        return replace(self._answer(images), images=images, names=names)

    def _answer(self, images: Images) -> Predictions:
        if not self._gives_no_digit:
            (probabilities,) = self._run([PROBABILITIES], images)
            return Predictions(probabilities.argmax(1).astype(np.uint8), probabilities)
        probabilities, no_digit = self._run([PROBABILITIES, NO_DIGIT], images)
        labels = probabilities.argmax(1).astype(np.uint8)
        refused = no_digit > self.card.threshold
        doubtful = no_digit > self.card.unsure_above
        if self.card.unsure_below:
            doubtful |= probabilities.max(1) < self.card.unsure_below
        return Predictions(labels, probabilities, no_digit, refused, doubtful & ~refused)

    def logits(self, images: Images) -> NDArray[np.float32]:
        """Return the numbers before softmax: float32 (N, 10), for `images` as in `predict`."""
        return self._run([LOGITS], check_images(images))[0]

    def _run(self, outputs: list[str], images: Images) -> list[NDArray[np.float32]]:
        count = len(images)
        # Few digits need no copying and no threads.
        if 0 < count <= CHUNK:
            return self._call(outputs, images)
        results = [
            np.empty((count,) if name == NO_DIGIT else (count, CLASSES), np.float32)
            for name in outputs
        ]

        def fill(index: int) -> None:
            answers = self._call(outputs, images[index : index + CHUNK])
            for result, answer in zip(results, answers, strict=True):
                result[index : index + CHUNK] = answer

        # ONNX Runtime lets go of Python's lock, so chunks run on as many cores as there are.
        run = map if self.threads == 1 else self._pool.map
        for _ in run(fill, range(0, count, CHUNK)):
            pass
        return results

    def _call(self, outputs: list[str], images: Images) -> list[NDArray[np.float32]]:
        answers: list[NDArray[np.float32]] = self._session.run(outputs, {INPUT: images})
        for answer in answers:
            check_finite(self.path, answer)
        return answers

    @property
    def _pool(self) -> ThreadPoolExecutor:
        # A process that was forked from this one has no threads: it needs a pool of its own.
        pid = os.getpid()
        if pid not in self._pools:
            pool = ThreadPoolExecutor(self.threads, thread_name_prefix=f"digitlens-{self.name}")
            self._pools = {pid: pool}
        return self._pools[pid]


def load_model(source: str | Path = DEFAULT_NETWORK, *, threads: int | None = None) -> Model:
    """Load a model: a published one, a run folder, or an .onnx file that digitlens wrote.

    source: a published name (`published_names`), a run folder such as ``runs/train/cnn-1``,
        the path of an .onnx file, or ``hf://OWNER/NAME`` for a model of Hugging Face's hub,
        which huggingface_hub fetches where it is installed. A file or folder that is called
        like a published network is named by a path: ``./cnn``. `universal` when left out.
    threads: cores to use; all that this process may use when None

    Raises ModelError: there is no such file or folder, the run is unfinished, or the file is
    not ours.
    """
    if isinstance(source, str) and source.startswith(HUB):
        source = fetch_from_hub(source)
    # A published name, else a path; a run folder's model lies in the folder.
    path = PUBLISHED_FOLDER / f"{source}.onnx" if source in published_names() else Path(source)
    if is_folder(path):
        path = path / MODEL
    try:
        content = read_regular(path)
    except OSError as error:
        raise _no_model_error(Path(source), error) from error
    return Model(path, content, threads=threads)


def check_finite(path: Path, answer: NDArray[np.float32]) -> None:
    """Check what the network in `path` answered; ModelError for NaN or infinity.

    A NaN is below every threshold and above none, and would pass for a sure answer.
    """
    # One infinity or NaN among the numbers makes their sum one.
    if not math.isfinite(answer.sum()):
        raise ModelError(
            f"the network in {path} must answer with finite numbers",
            seen="NaN or infinity",
            likely="its weights are damaged, or training diverged",
        )


def open_session(name: str | Path, content: bytes) -> Any:
    """Open a file's bytes as a session of one thread on the processor.

    `name` is what messages call the file. ModelError if ONNX Runtime does not take it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a call, and as many calls at once as there are cores: sessions of several
    # threads starve one another, and one digit is not worth a second thread.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        # A name or a text that is no UTF-8 raises only when it is asked for.
        _ = session.get_modelmeta().custom_metadata_map
        _ = [entry.name for entry in (*session.get_inputs(), *session.get_outputs())]
        return session
    except Exception as error:  # ONNX Runtime's errors have no other base in common
        raise ModelError(
            f"{name} must be an ONNX file that digitlens wrote",
            seen=f"ONNX Runtime: {str(error).splitlines()[0][:200]}",
            likely="the file is damaged, or of another kind"
            if content
            else "the file is empty",
            try_="digitlens export RUN --to onnx writes it again",
        ) from error


@cache
def published_names() -> tuple[str, ...]:
    """Return the names of the networks that come with digitlens, in alphabetical order."""
    return tuple(sorted(path.stem for path in PUBLISHED_FOLDER.glob("*.onnx")))


def _no_model_error(source: Path, error: OSError) -> ModelError:
    if is_folder(source):
        unfinished = (source / CONFIG).is_file()
        return ModelError(
            f"{source} holds no model: it must have a {MODEL}",
            seen="an unfinished run" if unfinished else "no run folder",
            likely="training was cut off" if unfinished else None,
            try_=_resume_command(source) if unfinished else None,
        )
    runs = sorted(folder.parent for folder in RUNS.glob(f"{source.name}-*/{MODEL}"))
    network = re.sub(r"-\d+$", "", source.name)
    advice = f"a published network: {', '.join(published_names())}"
    if runs:
        advice = f"{runs[-1]}"
    elif network in NETWORKS:
        advice = f"digitlens train {network}    makes one; or {advice}"
    elif meant := suggest(source.name, published_names()):
        advice = f"{meant}, if that was meant"
    return ModelError(
        f"{source} is no model: wanted a published name, a run folder or an .onnx file",
        seen=error.strerror,
        try_=hang("", advice, WIDTH - 10),
    )


def _resume_command(run: Path) -> str:
    network = "NETWORK"
    with suppress(RunError, KeyError):
        network = read_config(run)["run"]["network"]
    return f"digitlens train {network} --resume --out {run}"


def _read_card(path: Path, session: Any) -> ModelCard:
    metadata = session.get_modelmeta().custom_metadata_map
    text = metadata.get(ModelCard.KEY)
    inputs = [(entry.name, entry.type, entry.shape[1:]) for entry in session.get_inputs()]
    takes_pixels = inputs == [(INPUT, "tensor(uint8)", [SIDE, SIDE])]
    gives_answers = _output_names(session) >= {LOGITS, PROBABILITIES}
    if LineModelCard.KEY in metadata:
        raise ModelError(f"{path} must be a model of single digits", seen="a reader of lines")
    if text is None or not (takes_pixels and gives_answers):
        raise ModelError(
            f"{path} must be an ONNX file that digitlens wrote",
            seen=f"inputs {inputs}, " + ("a card" if text else "no card of digitlens inside"),
            likely="another program made it" if text is None else None,
            try_="train a network with digitlens; its run folder holds a model.onnx",
        )
    return ModelCard.from_json(text)


def as_model(model: Any) -> Any:
    """Return what answers for `model`: it itself, a run's model, or what `load_model` finds.

    A published network that was asked for by name stays loaded.
    """
    if isinstance(model, str | Path):
        return _load_published(model) if model in published_names() else load_model(model)
    return getattr(model, "model", model)


@cache
def _load_published(name: str) -> Model:
    return load_model(name)


def _output_names(session: Any) -> set[str]:
    return {entry.name for entry in session.get_outputs()}
