"""Where digits come from: named collections, pictures, IDX, npz and CSV files.

==============  ==============================================================
`load`          `load_digits`: from a name or path to digits; `fetch` beforehand;
                `as_splits`: what a caller has already -> the same
`catalog`       the published collections, and where they may lie on this machine
`download`      their files from their mirrors, checked
`split`         what a source gives -> training, validation and test digits, by writer
`idx`           MNIST's own file format; who wrote each digit
`arrays`        .npz files and Kaggle's CSV
`folder`        class folders of pictures
`pen_digits`    strokes of 30 writers, drawn with a pen
`font_digits`   digits of a folder of fonts
`world`         all of these as one source
`uci`           the 1,797 digits that come with digitlens
`features`      features from pixels, one-hot labels, a digit as text or picture
==============  ==============================================================
"""

from __future__ import annotations

from digitlens.data.download import Fetched
from digitlens.data.load import NAMES, as_digits, as_splits, fetch, load_digits
from digitlens.data.split import DataSplits

__all__ = ["NAMES", "DataSplits", "Fetched", "as_digits", "as_splits", "fetch", "load_digits"]
