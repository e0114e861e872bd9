"""The published collections: files, hashes, sizes, mirrors, and where they may lie here.

MNIST: LeCun, Cortes and Burges, CC BY-SA 3.0. The tables of who wrote each digit are
QMNIST's (Yadav and Bottou, "Cold Case: The Lost MNIST Digits", 2019, BSD licence).
Fashion-MNIST: Xiao, Rasul and Vollgraf, 2017, MIT licence.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PublishedFile:
    """One published file."""

    name: str  # as published, packed: ``train-images-idx3-ubyte.gz``
    size: int  # bytes of the packed file
    # sha256, unpacked_sha256: in hex, of the packed file and of what is in it
    sha256: str
    unpacked_sha256: str

    @property
    def unpacked_name(self) -> str:
        """The name without ``.gz``."""
        return self.name.removesuffix(".gz")


@dataclass(frozen=True)
class PublishedDataset:
    """One published collection."""

    name: str  # what a user calls it; also the name of its folder
    title: str  # what messages call it
    # training images and labels, test images and labels, in this order
    files: tuple[PublishedFile, PublishedFile, PublishedFile, PublishedFile]
    mirrors: tuple[str, ...]  # addresses of folders that hold the files, best first
    # who wrote the training and the test digits, in this order; empty when unknown
    tables: tuple[PublishedFile, ...] = ()
    table_mirrors: tuple[str, ...] = ()  # the same for the tables


def _idx_files(
    *known: tuple[int, str, str],
) -> tuple[PublishedFile, PublishedFile, PublishedFile, PublishedFile]:
    """Return MNIST's four files, by their size, SHA-256 and that of what is in them."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    train, truth, test, test_truth = (
        PublishedFile(f"{name}-ubyte.gz", *facts)
        for name, facts in zip(names, known, strict=True)
    )
    return train, truth, test, test_truth


MNIST = PublishedDataset(
    name="mnist",
    title="MNIST",
    files=_idx_files(
        (
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        (
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        (
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        (
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    tables=(
        PublishedFile(
            "qmnist-train-labels.tsv.gz",
            429_570,
            "063229afb535986df50a905c6fa03b716f503bd859d2d9bc8a9b4e2c6a2ccee4",
            "d12becc9bddd68fc45d52ddaa7868aa49dc4c7080d65b51ce6cf12ecdfbabd5c",
        ),
        PublishedFile(
            "qmnist-test-labels.tsv.gz",
            478_170,
            "fe2001449c9580376e16fad7a14cc4f525644b6ffeadc47dc249938529002904",
            "eb655936ef35473cf5b3df22bcb474433a6211ecdffd3ff670651f3167bdf6b6",
        ),
    ),
    table_mirrors=("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
)

# Packed: as the authors' MD5 sums and several projects' SHA-256 sums agree; unpacked: as the
# content-addressed copies (Git LFS, git-annex) of several projects agree.
FASHION = PublishedDataset(
    name="fashion",
    title="Fashion-MNIST",
    files=_idx_files(
        (
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        (
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        (
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        (
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)


VARIABLE = "DIGITLENS_DATA"  # the environment variable that names the user's own folder of data
CACHE = "the cache"


@dataclass(frozen=True)
class SearchPlace:
    """A folder that was looked into."""

    what: str  # what messages call it
    folder: Path | None  # where it is; None when it was not named

    @property
    def is_own(self) -> bool:
        """Whether the user named it: nothing is moved there."""
        return self.what != CACHE


def named_folders() -> list[Path]:
    """Return the folders that DIGITLENS_DATA names, one or several as in PATH."""
    named = os.environ.get(VARIABLE, "")
    return [Path(part).expanduser() for part in named.split(os.pathsep) if part]


def user_folders(published: PublishedDataset) -> list[SearchPlace]:
    """Return the folders that the user named: DIGITLENS_DATA/<name>, and itself for MNIST.

    Only MNIST may lie in the folder itself: Fashion-MNIST's files have the same names.
    """
    places = []
    for folder in named_folders():
        if published.name == "mnist":
            places.append(SearchPlace(f"${VARIABLE}", folder))
        places.append(SearchPlace(f"${VARIABLE}/{published.name}", folder / published.name))
    return places or [SearchPlace(f"${VARIABLE}", None)]


def search_places(published: PublishedDataset) -> Iterator[SearchPlace]:
    """Walk over the places where a collection may lie: the user's folders, then the cache."""
    yield from user_folders(published)
    yield SearchPlace(CACHE, cache_path(published.name))


def find_collection(
    published: PublishedDataset, files: tuple[PublishedFile, ...] = ()
) -> tuple[SearchPlace, Path] | None:
    """Return the first place that holds these files, its four by default, and its folder.

    None if they are not on this machine; nothing is opened or fetched.
    """
    for place in search_places(published):
        if place.folder and all(find_files(files or published.files, place.folder)):
            return place, place.folder
    return None


def search_folders(name: str) -> Iterator[Path]:
    """Walk over the folders of the source `name`: below and at the user's, then the cache."""
    for folder in named_folders():
        yield folder / name
        yield folder
    yield cache_path(name)


def describe_search(name: str, lacking: str) -> list[str]:
    """Return in words where `search_folders` looked; `lacking` says what was not there."""
    looked = [f"{folder}: {lacking}" for folder in named_folders()]
    looked = looked or [f"${VARIABLE} is not set"]
    return [*looked, f"the cache, {cache_path(name)}: none either"]


def cache_path(name: str) -> Path:
    """Return the folder in which the source `name` is kept; it need not be there yet."""
    import platformdirs  # loaded only when the user's own folders hold no data

    return Path(platformdirs.user_cache_dir("digitlens")) / name


def find_files(files: tuple[PublishedFile, ...], folder: Path) -> list[Path | None]:
    """Return where each file lies in `folder`, packed or unpacked, or None."""
    result: list[Path | None] = []
    for file in files:
        candidates = (folder / file.name, folder / file.unpacked_name)
        result.append(next((path for path in candidates if path.is_file()), None))
    return result


def describe_places(place: SearchPlace, published: PublishedDataset) -> str:
    """Return in words why the collection cannot be read from `place`."""
    if place.folder is None:
        return f"{place.what} is not set"
    where = f"{place.what}, {place.folder}"
    if not place.folder.is_dir():
        return f"{where}: no such folder"
    result = find_files(published.files, place.folder)
    missing = [
        file.name for file, path in zip(published.files, result, strict=True) if not path
    ]
    if len(missing) == len(published.files):
        return f"{where}: none of the four files"
    return f"{where}: without {', '.join(missing)}"
