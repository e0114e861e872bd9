"""`DigitClassifier`: a network as an estimator of scikit-learn."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.data import as_digits
from digitlens.errors import MissingExtraError, UsageError
from digitlens.imaging.pictures import frame_pictures
from digitlens.models.inference import Model
from digitlens.runs import MODEL
from digitlens.training import train

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "DigitClassifier needs scikit-learn, which is not installed",
        try_='pip install "digitlens[tables]"',
    ) from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.models.recipe import Recipe


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network of digitlens as an estimator of scikit-learn.

    X is (N, 784) or (N, 28, 28), 0 = paper, 0..255 or fractions 0..1; y is (N,), 0..9. Nothing
    is held back: scikit-learn divides. The run folder is temporary, the model is kept.

    network, epochs, seed, recipe: as for `digitlens.train`

    >>> cross_val_score(DigitClassifier("dense", epochs=2), X, y)  # doctest: +SKIP
    """

    def __init__(
        self,
        network: str = "dense",
        *,
        epochs: int | None = None,
        seed: int = 0,
        recipe: Recipe | None = None,
    ) -> None:
        self.network = network
        self.epochs = epochs
        self.seed = seed
        self.recipe = recipe

    def fit(self, X: Any, y: Any) -> DigitClassifier:  # noqa: N803 - scikit-learn's name
        """Train the network; errors are those of `digitlens.train`."""
        digits = as_digits((X, y))
        with tempfile.TemporaryDirectory() as folder:
            run = train(
                self.network,
                digits,
                validation=0.0,
                seed=self.seed,
                epochs=self.epochs,
                recipe=self.recipe,
                out=Path(folder, "run"),
            )
            self.history_ = run.history
            self.content_ = (run.folder / MODEL).read_bytes()
        self.classes_ = np.unique(digits.labels)
        self.n_features_in_ = digits.images[0].size
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Return float32 (N, classes), rows sum to 1, columns as `classes_` has them."""
        if not hasattr(self, "content_"):
            raise UsageError("the classifier must be fitted first", try_="fit(X, y)")
        images, _, _ = frame_pictures(X, framed=True)
        # From the file's bytes: they can be pickled to other processes.
        answers = Model(Path(MODEL), self.content_).predict(images)
        shares = answers.probabilities[:, self.classes_]
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12))

    def predict(self, X: Any) -> NDArray[np.uint8]:  # noqa: N803
        """Return the likeliest digits: uint8 (N,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
