"""The line network's file: what is loaded, what is said of a line, what is refused."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import digitlens
from digitlens.ctc import ConfidenceModels, to_probs
from digitlens.ctc.rescoring import find_digit_steps
from digitlens.errors import ModelError
from digitlens.imaging.crop import prepare_line
from digitlens.models.card import CALIBRATIONS_KEY, LineModelCard, RescorerModelCard
from digitlens.ocr import LineRecognizer, load_line_recognizer, network
from digitlens.ocr.network import Rescorer, find_line_network, load_rescorer
from digitlens.ocr.recognize import recognize

Onnx = Callable[..., bytes]
FOLDER = Path(digitlens.__file__).parent / "published"


@pytest.fixture(scope="module")
def tiny(make_onnx: Onnx) -> LineRecognizer:
    """Return a real line network, of one convolution."""
    return LineRecognizer(Path("tiny.onnx"), make_onnx())


@pytest.fixture
def none_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let digitlens come with no line network; return the folder where they would be."""
    monkeypatch.setattr(network, "PUBLISHED", tmp_path / "lines")
    return tmp_path / "lines"


@pytest.mark.parametrize(
    ("shape", "frames"),
    [((32, 100), 50), ((32, 101), 51), ((64, 90), 23), ((20, 1), 8), ((32, 3000), 1024)],
)
def test_there_is_a_frame_every_two_columns(
    tiny: LineRecognizer, shape: tuple[int, int], frames: int
) -> None:
    """A line gives float32 (T, 11), T half its columns at 32 rows; each row sums to 1."""
    gray = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    said = tiny.log_probs(gray)
    assert said.dtype == np.float32
    assert said.shape == (frames, 11)
    np.testing.assert_allclose(np.exp(said).sum(axis=1), 1, rtol=1e-5)


def test_what_fills_the_width_changes_no_frame(tiny: LineRecognizer, make_onnx: Onnx) -> None:
    """The frames are those of the line's own columns, whatever its width is filled up to."""
    onnxruntime = pytest.importorskip("onnxruntime")
    gray = np.random.default_rng(2).integers(0, 256, (32, 42), np.uint8)
    session = onnxruntime.InferenceSession(make_onnx(), providers=["CPUExecutionProvider"])
    (plain,) = session.run(None, {"strip": prepare_line(gray)[None, None]})
    np.testing.assert_allclose(tiny.log_probs(gray), plain[0], rtol=1e-5)


def test_without_calibrations_there_are_none(tiny: LineRecognizer) -> None:
    """A file without calibrations is read; it has none, and its name is shown."""
    assert tiny.calibrations is None
    assert tiny.path == Path("tiny.onnx")
    assert repr(tiny) == "LineRecognizer(tiny.onnx)"


@pytest.mark.parametrize("width", [16, 17, 42, 64])
def test_widths_are_filled_up_with_the_mean(
    make_onnx: Onnx, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """The engine gets a multiple of 8 columns; those beyond the line are 0, its mean grey."""
    one = LineRecognizer(Path("tiny.onnx"), make_onnx())
    asked = []

    class Engine:
        def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            asked.append(feed["strip"])
            return [np.zeros((1, feed["strip"].shape[3] // 2, 11), np.float32)]

    monkeypatch.setattr(one, "_session", Engine())
    gray = np.random.default_rng(3).integers(0, 256, (32, width), np.uint8)
    one.log_probs(gray)
    (strip,) = asked
    assert strip.shape == (1, 1, 32, -(-width // 8) * 8)
    assert np.array_equal(strip[0, 0, :, :width], prepare_line(gray))
    assert not strip[..., width:].any()


def test_what_it_reads_is_what_is_there(
    stroke_network: Path, strokes: Callable[..., Any]
) -> None:
    """Of a line of strokes each frame says which one is there, or none."""
    said = load_line_recognizer(stroke_network).log_probs(strokes("147")[40:80])
    seen = said.argmax(axis=1)
    assert [digit for digit, _ in itertools.groupby(seen.tolist())] == [10, 1, 10, 4, 10, 7, 10]


def test_a_card_comes_from_the_file(tiny: LineRecognizer) -> None:
    """The card in the file's metadata is that of the network."""
    assert tiny.card.name == "strokes"


def test_without_a_card_it_is_not_ours(make_onnx: Onnx) -> None:
    """A file without digitlens' card is refused, and one whose card is damaged."""
    with pytest.raises(ModelError) as caught:
        LineRecognizer(Path("tiny.onnx"), make_onnx({LineModelCard.KEY: None}))
    assert str(caught.value) == (
        "tiny.onnx must be a network that reads lines, written by digitlens\n"
        "  seen    no card of digitlens inside\n"
        "  likely  another program made it"
    )
    with pytest.raises(ModelError, match="a model's card"):
        LineRecognizer(Path("tiny.onnx"), make_onnx({LineModelCard.KEY: "{"}))


def test_calibrations_come_from_the_file(
    make_onnx: Onnx, calibrations: ConfidenceModels
) -> None:
    """Calibrations in the file's metadata are those that were put there."""
    content = make_onnx({CALIBRATIONS_KEY: json.dumps(calibrations.as_dict())})
    assert LineRecognizer(Path("tiny.onnx"), content).calibrations == calibrations


@pytest.mark.parametrize("raw", ["{", '{"format": 9}', "[]", '"no"', '{"format": 1}'])
def test_damaged_calibrations_are_refused(make_onnx: Onnx, raw: str) -> None:
    """Calibrations that are no JSON, or not of ours, are an error of the model."""
    with pytest.raises(ModelError, match="calibrations"):
        LineRecognizer(Path("tiny.onnx"), make_onnx({CALIBRATIONS_KEY: raw}))


def test_another_process_loads_its_own(make_onnx: Onnx, tmp_path: Path) -> None:
    """A network is pickled as the place of its file."""
    (tmp_path / "model.onnx").write_bytes(make_onnx())
    network = load_line_recognizer(tmp_path)
    packed = pickle.dumps(network)
    assert len(packed) < 1000
    assert pickle.loads(packed).path == network.path


def test_a_file_is_loaded(make_onnx: Onnx, tmp_path: Path) -> None:
    """A path, as text or not, is a file; a run folder is the network in it."""
    path = tmp_path / "model.onnx"
    path.write_bytes(make_onnx())
    for source in (path, str(path), tmp_path, str(tmp_path)):
        assert load_line_recognizer(source).path == path


def test_a_name_is_a_published_network(
    make_onnx: Onnx, none_published: Path, in_tmp: Path
) -> None:
    """A name means the published network, though something here is called so too."""
    none_published.mkdir()
    (none_published / "reader.onnx").write_bytes(make_onnx())
    (in_tmp / "reader").mkdir()
    assert load_line_recognizer().path == none_published / "reader.onnx"
    assert load_line_recognizer("reader").path == none_published / "reader.onnx"


def test_a_missing_file_is_told(none_published: Path) -> None:
    """Without published networks the error says what was wanted, and nothing to try."""
    with pytest.raises(ModelError) as caught:
        load_line_recognizer("nowhere.onnx")
    assert str(caught.value) == (
        "nowhere.onnx is no line network: wanted a published name, a run folder or a file\n"
        "  seen    No such file or directory"
    )


def test_a_missing_file_is_told_with_what_there_is(
    none_published: Path, tmp_path: Path
) -> None:
    """With published networks the error names them; a folder without one is no network."""
    none_published.mkdir()
    for name in ("reader", "quick"):
        (none_published / f"{name}.onnx").write_bytes(b"")
    with pytest.raises(ModelError) as caught:
        load_line_recognizer(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} is no line network: wanted a published name, a run folder or a file\n"
        "  seen    No such file or directory\n"
        "  try     a published one: quick, reader"
    )


def test_a_network_for_single_digits_is_refused() -> None:
    """A network for single digits is told as one, with the command that asks it."""
    path = FOLDER / "cnn.onnx"
    with pytest.raises(ModelError) as caught:
        load_line_recognizer(path)
    assert str(caught.value) == (
        f"{path} must be a network that reads lines\n"
        "  seen    inputs ['pixels'], outputs ['logits', 'probabilities', 'no_digit']\n"
        "  likely  a network for single digits\n"
        "  try     digitlens predict asks such a one"
    )


@pytest.mark.parametrize(
    ("content", "likely"),
    [(b"no network", "the file is damaged, or of another kind"), (b"", "the file is empty")],
)
def test_what_is_no_network_is_refused(tmp_path: Path, content: bytes, likely: str) -> None:
    """Bytes that are no ONNX file, or none at all, are told by the file's name."""
    path = tmp_path / "letter.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_line_recognizer(path)
    error = caught.value
    assert error.wanted == f"{path} must be an ONNX file that digitlens wrote"
    assert error.likely == likely
    assert error.seen is not None
    assert error.seen.startswith("ONNX Runtime: ")
    assert "\n" not in error.seen


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Rescorer:
    """Return a rescorer that says 4 wherever it looks, with probability 0.9."""
    torch = pytest.importorskip("torch")
    from digitlens.models.architectures.line_network import RescorerNetwork
    from digitlens.models.convert import fuse_line_network
    from digitlens.models.onnx_writer import to_onnx

    net = RescorerNetwork((4, 4, 4, 4)).eval()
    torch.nn.init.zeros_(net.head.weight)
    net.head.bias.data[:] = torch.log(torch.full((11,), 0.01))
    net.head.bias.data[4] = np.log(0.9)
    about = ("rescorer", "rescorer", "made up", "none", "clean", 1, 0, 1, 1, 1, "2026-01-01")
    path = tmp_path_factory.mktemp("second") / "rescorer.onnx"
    path.write_bytes(to_onnx(fuse_line_network(net), RescorerModelCard(*about)))
    return load_rescorer(path)


@pytest.fixture
def rescored(
    make_onnx: Onnx, second: Rescorer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., LineRecognizer]:
    """Return a function that gives the stroke network with a rescorer of this weight."""
    monkeypatch.setattr(network, "load_rescorer", lambda: second)

    def make(weight: Any, digest: str = second.graph_digest) -> LineRecognizer:
        plain = LineRecognizer(Path("tiny.onnx"), make_onnx()).card
        card = replace(plain, rescorer=digest, rescorer_weight=weight)
        return LineRecognizer(Path("tiny.onnx"), make_onnx({LineModelCard.KEY: card.to_json()}))

    return make


def test_digits_are_looked_at_again(
    rescored: Callable[..., LineRecognizer], strokes: Callable[..., Any]
) -> None:
    """What the rescorer says counts as the reader's card has it, at the digits alone."""
    line = strokes("147")[40:80]
    reader = rescored(0.5)
    before = to_probs(reader.log_probs(line))
    after = reader.rescore(line, before)
    steps = find_digit_steps(before)
    assert 3 <= len(steps) < len(before)
    is_other = before[steps, 4] < 0.9
    assert 0 < is_other.sum() < len(steps)
    assert (after[steps, 4] > before[steps, 4])[is_other].all()
    assert (after[steps, 4] > 0.9)[~is_other].all()
    others = np.setdiff1d(np.arange(len(before)), steps)
    assert np.array_equal(after[others], before[others])
    # With all the weight to the second opinion the line reads as that has it.
    texts = {weight: recognize(rescored(weight), line)[1].best for weight in (0.0, 50.0)}
    assert {weight: best and best.text for weight, best in texts.items()} == {
        0.0: "147",
        50.0: "444",
    }


def test_a_line_without_digits_is_not_looked_at_again(
    rescored: Callable[..., LineRecognizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bare paper costs no second pass; nor does any line of a reader without a rescorer."""
    monkeypatch.setattr(Rescorer, "judge", None)
    paper = np.full((40, 100), 220, np.uint8)
    for reader in (rescored(0.5), rescored(0.0, "")):
        probs = to_probs(reader.log_probs(paper))
        assert reader.rescore(paper, probs) is probs
    assert rescored(0.0, "").rescorer is None


def test_another_rescorer_is_refused(rescored: Callable[..., LineRecognizer]) -> None:
    """Its confidences hold with the rescorer it was measured with, and with no other."""
    reader = rescored(0.5, "0" * 64)
    with pytest.raises(ModelError, match="with the rescorer that it was measured with"):
        recognize(reader, np.full((40, 100), 220, np.uint8))


def test_a_missing_rescorer_is_no_missing_picture(
    rescored: Callable[..., LineRecognizer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without its file no picture can be read: that is said of the reader, not of pictures."""
    monkeypatch.setattr(network, "load_rescorer", lambda: load_rescorer(tmp_path / "none.onnx"))
    with pytest.raises(
        ModelError, match="with the rescorer that it was measured with"
    ) as caught:
        recognize(rescored(0.5), np.full((40, 100), 220, np.uint8))
    assert "none.onnx" in str(caught.value.seen)


@pytest.mark.parametrize("weight", [-0.3, float("nan"), float("inf"), "0.3", None])
def test_the_weight_in_a_damaged_file_is_refused(
    rescored: Callable[..., LineRecognizer], weight: Any
) -> None:
    """A card may come from anyone: what is in it is looked at when it is loaded."""
    with pytest.raises(ModelError, match=r"must be 0 or greater|card cannot be read"):
        rescored(weight)


def test_a_rescorer_is_pickled_by_its_path(second: Rescorer) -> None:
    """Another process loads the file itself; it is no reader, and says what it is."""
    again = pickle.loads(pickle.dumps(second))
    assert again.path == second.path
    assert isinstance(find_line_network(second.path), Rescorer)
    with pytest.raises(ModelError, match="card of another kind"):
        load_line_recognizer(second.path)
