"""Where digits come from: named collections, pictures, IDX, npz and CSV files.

==============  ==============================================================
`load`          `load_digits`: from a name or path to digits; `fetch` beforehand
`catalog`       the published collections, and where they may lie on this machine
`download`      their files from their mirrors, checked
`split`         training, validation and test digits, by writer where known
`types`         `RawDataset`: what a source gives; `DataSplits`: what is used
`idx`           MNIST's own file format
`arrays`        .npz files and Kaggle's CSV
`folder`        class folders of pictures
`uci`           the 1,797 digits that come with digitlens
`writers`       who wrote each MNIST digit
`features`      features from pixels, one-hot labels, a digit as text or picture
==============  ==============================================================
"""

from __future__ import annotations

from digitlens.data.download import Fetched
from digitlens.data.load import NAMES, fetch, load_digits
from digitlens.data.types import DataSplits

__all__ = ["NAMES", "DataSplits", "Fetched", "fetch", "load_digits"]
