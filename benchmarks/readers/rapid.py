"""RapidOCR as a reader in a process of its own: ``python -m readers.rapid``.

Runs in RapidOCR's environment, without digitlens. A line is read by the recogniser alone, a
whole picture by all of it: finding text, turning it upright, recognising it. On one thread.

Settings: in "any", as RapidOCR is used, its network chooses among its 18,710 characters, and
the benchmark keeps the digits of its text. In "digits" all other characters are forbidden
before its decoder chooses, which RapidOCR has no option for; a character that it is sure of
and that is no digit then becomes the likeliest digit, or nothing.

Nor has it an option for a known number of digits. Where one is told for a line, the likeliest
path through its network's outputs that spells so many digits is taken (`spelled`).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from readers.protocol import Piece, serve

if TYPE_CHECKING:
    from readers.protocol import Request

BLANK = 0
"""Where its network's outputs say "no character"."""


class Decoder:
    """RapidOCR's decoder, which may be kept to digits, and remembers how sure it was.

    Parameters
    ----------
    decoder
        RapidOCR's own.
    """

    def __init__(self, decoder: Any) -> None:
        self.decoder = decoder
        self.digits_only = False
        self.length: int | None = None
        self.each: list[list[float]] = []
        self._kept = [BLANK, *(decoder.dict[str(digit)] for digit in range(10))]

    def __call__(self, outputs: Any, return_word_box: bool = False, **more: Any) -> Any:
        """Decode outputs float (N, T, characters) as RapidOCR does."""
        import numpy as np

        if self.length is not None:
            result = [spelled(item[:, self._kept], self.length) for item in outputs]
            self.each = [item for _, item in result]
            return [(text, sum(item) / len(item)) for text, item in result], []
        if self.digits_only:
            allowed = np.zeros_like(outputs)
            allowed[:, :, self._kept] = outputs[:, :, self._kept]
            outputs = allowed
        lines, words = self.decoder(outputs, True, **more)
        self.each = [list(map(float, word.confs)) for word in words]
        return lines, words if return_word_box else []


def spelled(outputs: Any, length: int) -> tuple[str, list[float]]:
    """Return the likeliest path of exactly `length` digits, and how sure each digit is.

    Parameters
    ----------
    outputs
        float (T, 11): for each frame the probabilities of no character and of 0 to 9; others
        are left out, so that the sum may be below 1.
    length
        At least 1. Where there are too few frames, the text is all zeros, sure by 0.

    Notes
    -----
    Viterbi's algorithm over (digits so far, what the last frame showed). Two equal digits
    need a frame without a character between them, as everywhere in CTC.
    """
    import numpy as np

    shares = outputs / np.maximum(outputs.sum(axis=1, keepdims=True), 1e-12)
    logs = np.log(np.maximum(shares, 1e-12))
    frames, labels = logs.shape
    same = np.where(np.eye(labels)[:, 1:] > 0, -np.inf, 0.0)
    best = np.full((length + 1, labels), -np.inf)
    best[0, 0] = 0.0
    came = np.zeros((frames, length + 1, labels), np.int64)
    grew = np.zeros((frames, length + 1, labels), np.bool_)
    for index in range(frames):
        after = np.full_like(best, -np.inf)
        came[index, :, 0] = best.argmax(axis=1)
        after[:, 0] = best.max(axis=1)
        begun = best[:-1, :, None] + same
        kept, new = best[1:, 1:], begun.max(axis=1)
        grew[index, 1:, 1:] = new > kept
        came[index, 1:, 1:] = np.where(new > kept, begun.argmax(axis=1), np.arange(1, labels))
        after[1:, 1:] = np.maximum(new, kept)
        best = after + logs[index]
    if not np.isfinite(best[length]).any():
        return "0" * length, [0.0] * length
    count, label = length, int(best[length].argmax())
    text, most = "", 0.0
    item: list[float] = []
    for index in range(frames - 1, -1, -1):
        most = max(most, float(shares[index, label])) if label else 0.0
        before, begins = int(came[index, count, label]), bool(grew[index, count, label])
        if begins:
            text, item, most, count = f"{label - 1}{text}", [most, *item], 0.0, count - 1
        label = before
    return text, item


def corners_box(corners: Any) -> list[float]:
    """Return left, top, right, bottom of a slanted box given by its corners (4, 2)."""
    across, down = zip(*corners, strict=True)
    return [float(min(across)), float(min(down)), float(max(across)), float(max(down))]


def read(engine: Any, decoder: Decoder, picture: Any, request: Request) -> list[Piece]:
    """Read a picture, uint8 (H, W, 3), blue, green, red."""
    decoder.digits_only = request["setting"] == "digits"
    decoder.length = None if request["page"] else request["length"]
    if request["page"]:
        result = engine(picture, use_det=True, use_cls=True, use_rec=True)
        if not result.txts:
            return []
        rows = zip(result.txts, result.scores, result.boxes, strict=True)
        return [
            Piece(text=text, confidence=float(score), box=corners_box(box), parts=[])
            for text, score, box in rows
        ]
    result = engine(picture, use_det=False, use_cls=False, use_rec=True)
    height, width = picture.shape[:2]
    return [
        Piece(
            text=result.txts[0],
            confidence=float(result.scores[0]),
            box=[0.0, 0.0, float(width), float(height)],
            parts=decoder.each[0],
        )
    ]


def main() -> None:
    """Serve."""
    import cv2
    import numpy as np
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    threads = "EngineConfig.onnxruntime.{}_op_num_threads"
    one = {threads.format(kind): 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={**one, "Global.log_level": "error"})
    engine(np.full((48, 160, 3), 255, np.uint8), use_det=False, use_cls=False, use_rec=True)
    decoder = Decoder(engine.text_rec.postprocess_op)
    engine.text_rec.postprocess_op = decoder
    serve(
        {name: version(name) for name in ("rapidocr", "onnxruntime")},
        cv2.imread,
        lambda picture, request: read(engine, decoder, picture, request),
    )


if __name__ == "__main__":
    main()
