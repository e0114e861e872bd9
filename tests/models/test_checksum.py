"""Model files that were damaged or changed are told, not believed."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from digitlens.errors import ModelError
from digitlens.models import checksum
from digitlens.models.card import ModelCard
from digitlens.models.checksum import (
    PUBLISHED_FOLDER,
    append_checksum,
    graph_digest,
    read_published_sums,
    verify_checksum,
)
from digitlens.models.inference import CHUNK, Model, load_model
from digitlens.models.onnx_writer import rewrite_onnx
from digitlens.ocr.network import load_line_recognizer

FILES = sorted(PUBLISHED_FOLDER.rglob("*.onnx"))
CNN = PUBLISHED_FOLDER / "cnn.onnx"


def flip(content: bytes, bit: int) -> bytes:
    """Return `content` with one bit turned."""
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def test_each_of_three_hundred_flipped_bits_is_noticed() -> None:
    """A bit anywhere in a copy of a published network: weights, card or checksum."""
    content = CNN.read_bytes()
    bits = np.random.default_rng(0).choice(8 * len(content), 300, replace=False)
    for bit in bits:
        with pytest.raises(ModelError, match="must be as digitlens wrote it"):
            verify_checksum(Path("copy.onnx"), flip(content, int(bit)))


def test_a_text_that_is_no_utf8_is_an_error(tmp_path: Path) -> None:
    """Whoever makes a model file can write its checksum, and any bytes into its card."""
    path = tmp_path / "copy.onnx"
    reader = PUBLISHED_FOLDER / "lines" / "reader.onnx"
    for source, load in ((CNN, load_model), (reader, load_line_recognizer)):
        content = source.read_bytes()
        path.write_bytes(append_checksum(content.replace(b'"notes"', b'"n\xfftes"')))
        with pytest.raises(ModelError, match="must be an ONNX file that digitlens wrote"):
            load(path)
        with pytest.raises(ModelError, match="a model's card cannot be read"):
            ModelCard.from_file(path.read_bytes())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_published_files_are_the_ones_of_the_list(path: Path) -> None:
    """Each is listed, whole, and carries its checksum wherever it is copied."""
    content = path.read_bytes()
    assert verify_checksum(path, content)
    assert verify_checksum(Path("copy.onnx"), content)
    with pytest.raises(ModelError, match="install digitlens again"):
        verify_checksum(path, append_checksum(flip(content, 4_000)))


def test_the_list_has_no_other_files() -> None:
    """A name in the list is a file in the folder."""
    assert set(read_published_sums()) == {
        path.relative_to(PUBLISHED_FOLDER).as_posix() for path in FILES
    }


def test_a_published_file_without_a_list_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half an installation is an error."""
    monkeypatch.setattr(checksum, "SUMS", "missing")
    read_published_sums.cache_clear()
    with pytest.raises(ModelError, match="install digitlens again"):
        load_model("tiny")
    read_published_sums.cache_clear()


def test_files_cut_short_and_files_of_other_programs_are_refused(tmp_path: Path) -> None:
    """What onnx saved again is no longer what digitlens wrote, even if the numbers are."""
    content = CNN.read_bytes()
    model = onnx.load_from_string(content)
    (model.graph.initializer.add()).CopyFrom(numpy_helper.from_array(np.zeros(1), "more"))
    for damaged in (content[:-1], content[:-200], model.SerializeToString()):
        path = tmp_path / "cnn.onnx"
        path.write_bytes(damaged)
        with pytest.raises(ModelError):
            load_model(path)


def test_a_file_of_an_older_version_has_no_checksum_and_is_read(tmp_path: Path) -> None:
    """Nobody has to train again for it."""
    path = tmp_path / "cnn.onnx"
    content = CNN.read_bytes()
    path.write_bytes(content[: len(content) - len(append_checksum(b""))])
    assert not verify_checksum(path, path.read_bytes())
    assert load_model(path).name == "cnn"


def test_another_card_keeps_the_digest_of_the_weights() -> None:
    """It is of nodes and weights alone; the checksum is of all."""
    content = CNN.read_bytes()
    model = Model(CNN, content)
    renamed = rewrite_onnx(content, type(model.card)(**{**vars(model.card), "notes": ["x"]}))
    assert renamed != content
    assert graph_digest(renamed) == graph_digest(content)
    assert graph_digest(spoil(content, 1.0)) != graph_digest(content)


def spoil(content: bytes, value: float) -> bytes:
    """Return a model file, whole, one of whose biases is `value`."""
    model = onnx.load_from_string(content)
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 1 and tensor.data_type == onnx.TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).copy()
            array[0] = value
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
            break
    del model.metadata_props[-1]
    return append_checksum(model.SerializeToString())


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("count", [1, CHUNK + 1])
def test_numbers_that_are_none_are_no_answer(value: float, count: int, tmp_path: Path) -> None:
    """A NaN is neither a sure digit nor a refused one; in one chunk or in several."""
    path = tmp_path / "cnn.onnx"
    path.write_bytes(spoil(CNN.read_bytes(), value))
    with pytest.raises(ModelError, match="must answer with finite numbers"):
        load_model(path).predict(np.full((count, 28, 28), 99, np.uint8))


def test_a_reader_that_gives_nan_is_an_error(tmp_path: Path) -> None:
    """Lines as digits."""
    path = tmp_path / "reader.onnx"
    path.write_bytes(spoil((PUBLISHED_FOLDER / "lines" / "reader.onnx").read_bytes(), np.nan))
    with pytest.raises(ModelError, match="must answer with finite numbers"):
        load_line_recognizer(path).log_probs(np.full((32, 64), 200, np.uint8))


def test_models_go_to_other_processes() -> None:
    """A model pickles, with its threads."""
    model = pickle.loads(pickle.dumps(load_model("tiny", threads=2)))
    assert (model.name, model.threads) == ("tiny", 2)


def answer(model: Model) -> int:
    """Answer in another process, with threads of its own."""
    return len(model.predict(np.zeros((3 * CHUNK, 28, 28), np.uint8)))


def test_a_forked_process_answers_after_its_parent_has() -> None:
    """The parent's threads are not there in the child: it must not wait for them."""
    model = load_model("tiny", threads=2)
    assert answer(model) == 3 * CHUNK
    with ProcessPoolExecutor(
        1, mp_context=get_context("fork"), initializer=keep, initargs=(model,)
    ) as pool:
        assert pool.submit(answer_kept).result(timeout=60) == 3 * CHUNK


KEPT: list[Model] = []


def keep(model: Model) -> None:
    """Take over the parent's model, as it is: initializers are not pickled when forking."""
    KEPT.append(model)


def answer_kept() -> int:
    """Answer with it."""
    return answer(KEPT[0])
