"""The table of MNIST-C: what is counted, and what its means are of."""

from __future__ import annotations

import numpy as np

from corruptions import AFFINE, CORRUPTIONS, OTHERS, corrupt
from digitlens.digits import Digits, Images
from digitlens.imaging import frame_stack
from digitlens.models.inference import Predictions
from mnist_c import CLEAN, Row, measure, prepare, table


class Always:
    """A model that sees one digit everywhere."""

    def __init__(self, digit: int) -> None:
        self.name = f"always {digit}"
        self._digit = digit

    def predict(self, images: Images) -> Predictions:
        """Answer the one digit."""
        labels = np.full(len(images), self._digit, np.uint8)
        return Predictions(labels, np.eye(10, dtype=np.float32)[labels])


def test_means_are_of_all_of_four_and_of_eleven() -> None:
    """Clean digits are in no mean; the four affine corruptions have one of their own."""
    rows = [Row(CLEAN, (1,), (1,))]
    rows += [Row(name, (20,) if name in AFFINE else (50,), (10,)) for name in CORRUPTIONS]
    lines = table(["cnn"], rows, 100).splitlines()
    assert lines[0] == "| error, % | cnn alone | cnn framed |"
    assert lines[2] == "| none | 1.00 | 1.00 |"
    assert lines[-3] == f"| **mean of all fifteen** | {(4 * 20 + 11 * 50) / 15:.2f} | 10.00 |"
    assert lines[-2] == "| mean of rotate, scale, shear, translate | 20.00 | 10.00 |"
    assert lines[-1] == "| mean of the other eleven | 50.00 | 10.00 |"
    assert len(lines) == 2 + 1 + 15 + 3
    assert len(OTHERS) == 11


def test_pictures_are_corrupted_and_then_framed(digits: Digits) -> None:
    """Framing sees the corrupted picture and nothing else."""
    images = digits.images[:5]
    changed, framed = prepare("fog", images, 3)
    assert np.array_equal(changed, corrupt("fog", images, seed=3))
    assert np.array_equal(framed.images, frame_stack(changed).images)
    assert np.array_equal(prepare(CLEAN, images, 3)[0], images)


def test_every_model_is_counted_under_every_corruption(digits: Digits) -> None:
    """One row for none and for each corruption, a number for each model, in their order."""
    rows = measure([Always(0), Always(3)], digits[:14], 0, 1)
    assert [row.name for row in rows] == [CLEAN, *CORRUPTIONS]
    assert {row.alone for row in rows} == {(12, 12)}
    assert rows[0].framed == (12, 12)
