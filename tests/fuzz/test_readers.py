"""Readers of files under fire: whatever a file holds, a result or an error in words comes out.

Each example mutates a seed file: cuts it, flips, inserts, repeats and overwrites bytes. A few
examples run always; ``make fuzz`` runs thousands (``DIGITLENS_FUZZ`` says how many a reader).
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet

from digitlens import runs
from digitlens.batch.items import Item, read_item
from digitlens.batch.ledger import REQUEST, open_ledger
from digitlens.batch.listing import list_items
from digitlens.data import load_digits
from digitlens.errors import DigitlensError
from digitlens.imaging.io import load_image
from digitlens.mail.plan_files import read_l002, read_plan
from digitlens.mail.sorting.imports import read_addresses, read_lines
from digitlens.mail.thresholds import read_measured
from digitlens.models.card import LineModelCard, ModelCard
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.inference import load_model
from digitlens.models.onnx_reader import parse_onnx
from digitlens.models.recipe import read_recipe
from digitlens.ocr.files import parse_document

EXAMPLES = int(os.environ.get("DIGITLENS_FUZZ", "8"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="DIGITLENS_FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def picture(kind: str, **options: Any) -> bytes:
    """Return a small picture as a file of that kind."""
    image = Image.fromarray(
        np.arange(60 * 40, dtype=np.uint32).astype(np.uint8).reshape(60, 40)
    )
    into = io.BytesIO()
    image.save(into, kind, **options)
    return into.getvalue()


def idx() -> bytes:
    """Return an IDX file of three pictures."""
    return struct.pack(">IIII", 2051, 3, 28, 28) + bytes(3 * 784)


def labels() -> bytes:
    """Return the IDX file of their labels."""
    return struct.pack(">II", 2049, 3) + bytes([0, 1, 2])


def npz() -> bytes:
    """Return an .npz file of fifty digits."""
    into = io.BytesIO()
    images = np.zeros((50, 28, 28), np.uint8)
    images[:, 4:24, 12:16] = 255
    np.savez_compressed(into, images=images, labels=np.arange(50) % 10)
    return into.getvalue()


def csv_rows() -> bytes:
    """Return a CSV file of fifty digits."""
    head = "label," + ",".join(f"p{place}" for place in range(784))
    rows = [f"{index % 10}" + ",0,255" * 392 for index in range(50)]
    return "\n".join([head, *rows, ""]).encode()


def archive(kind: str) -> bytes:
    """Return a tar, zip or Parquet file of three pictures."""
    pictures = {f"{index}.png": picture("PNG") for index in range(3)}
    into = io.BytesIO()
    if kind == "tar":
        with tarfile.open(fileobj=into, mode="w") as tar:
            for name, content in pictures.items():
                info = tarfile.TarInfo(name if name != "1.png" else f"{'long' * 40}.png")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    elif kind == "zip":
        with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in pictures.items():
                packed.writestr(zipfile.ZipInfo(name), content)
    else:
        table = pyarrow.table({"image": list(pictures.values())})
        parquet.write_table(table, into)
    return into.getvalue()


def read_archive(path: Path) -> None:
    """List what an archive holds and read all of it, as a batch does, at most a few items."""
    for item in itertools.islice(list_items([str(path)], pages=True), 20):
        again = Item.from_json(item.to_json())
        with suppress(DigitlensError):
            read_item(again)


def read_document(path: Path) -> None:
    """Open a document and look at its first page."""
    document = parse_document(path.read_bytes(), path.name)
    with suppress(DigitlensError):
        if document.count:
            document.page(0)
    document.close()


def read_batch(path: Path) -> None:
    """Open the folder of a batch whose request this is."""
    ledger = open_ledger(path.rename(path.with_name(REQUEST)).parent)
    for part in range(min(ledger.parts, 3)):
        with suppress(DigitlensError):
            ledger.read_items(part)
    ledger.read_status()


def read_config(path: Path) -> Any:
    """Read the file as a run's config.toml."""
    return runs.read_config(path.rename(path.with_name(runs.CONFIG)).parent)


def read_metrics(path: Path) -> Any:
    """Read the file as a run's metrics.json."""
    return runs.read_metrics(path.rename(path.with_name(runs.METRICS)).parent)


TINY = (PUBLISHED_FOLDER / "tiny.onnx").read_bytes()
CONFIG = b'format = 1\n[run]\nnetwork = "quick"\nseed = 1\n[recipe]\nbetas = [0.9, 0.99]\n'
RECIPE = b'network = "tiny"\n[recipe]\nlearning_rate = 0.02\nbetas = [0.9, 0.99]\nepochs = 1\n'
PLAN = b'default = "rest"\n[trays]\nny = ["005", "1"]\n[plants]\nny = "SCF MID-ISLAND NY 117"\n'
LINE = {"text": "1", "confidence": 0.5, "box": [0, 0, 1, 1], "digits": [], "alternatives": []}
ROWS = (json.dumps({"piece": "a.png", "lines": [LINE]}) + "\n").encode()
L002 = b"Effective Date: 2024-08-01\nColumn A,Column B,Column C\n005,U,SCF MID-ISLAND NY 117\n"

BATCH = b'{"format": 1, "request": {"form": "jsonl", "part_size": 2}, "items": 3, '
BATCH += b'"listing": "l.jsonl", "offsets": [0, 9]}'

# By name: what reads a file, how the file ends, and seeds.
READERS: dict[str, tuple[Callable[[Path], Any], str, list[bytes]]] = {
    "picture": (
        load_image,
        ".png",
        [
            picture("PNG"),
            picture("JPEG"),
            picture("BMP"),
            picture("GIF"),
            picture("TIFF", compression="tiff_lzw"),
            picture("WEBP"),
            picture("PPM"),
            picture("TIFF", save_all=True, append_images=[Image.new("L", (9, 9))] * 2),
        ],
    ),
    "idx": (load_digits, "-images-idx3-ubyte", [idx()]),
    "gz": (load_digits, "-images-idx3-ubyte.gz", [gzip.compress(idx(), mtime=0)]),
    "npz": (load_digits, ".npz", [npz()]),
    "csv": (load_digits, ".csv", [csv_rows()]),
    "model": (load_model, ".onnx", [TINY]),
    "onnx": (lambda path: parse_onnx(path.read_bytes(), name="x"), ".onnx", [TINY]),
    "config": (read_config, ".toml", [CONFIG]),
    "metrics": (read_metrics, ".json", [b'{"validation": {"misses": 1, "count": 10}}']),
    "recipe": (read_recipe, ".toml", [RECIPE]),
    "plan": (read_plan, ".toml", [PLAN]),
    "l002": (read_l002, ".csv", [L002]),
    "addresses": (read_addresses, ".csv", [b"piece,city,state\na.png,Boston,MA\n"]),
    "measured": (read_measured, ".json", [b'{"format": 1, "curves": {"reading": {}}}', b"{}"]),
    "readings": (lambda path: read_lines(path, path.parent), ".jsonl", [ROWS]),
    "tar": (read_archive, ".tar", [archive("tar")]),
    "zip": (read_archive, ".zip", [archive("zip")]),
    "parquet": (read_archive, ".parquet", [archive("parquet")]),
    "names": (read_archive, ".txt", [b"a.png\nb.zip\n*.png\n\xff.png\n"]),
    "batch": (read_batch, ".json", [BATCH]),
    "document": (
        read_document,
        ".pdf",
        [
            picture("PDF"),
            picture("TIFF", save_all=True, append_images=[Image.new("L", (9, 9))] * 2),
        ],
    ),
}

# What broke readers once, by reader; found when the program was attacked.
CORPUS: dict[str, list[bytes]] = {
    "picture": [
        READERS["picture"][2][7][: len(READERS["picture"][2][7]) // 2],  # TypeError in Pillow
        READERS["picture"][2][3][:40],  # IndexError
        b"",
        b"%PDF-1.7",
    ],
    "config": [
        b"a = " + b"[" * 100_000,
        b"format = 1\nrun = 3\n",
        b"format = 2\nversions = 3\n",
    ],
    "metrics": [b"[" * 100_000, b'{"validation": NaN}', b"[1]", b"\xff"],
    "npz": [b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(26)],
    "addresses": [b"piece,city\na," + b"x" * 200_000 + b"\n", b"piece,city\n\0,x\n"],
    "readings": [
        b'{"piece": "a", "lines": [' * 5_000,
        b'{"piece": "a", "lines": 3}\n',
        b"NaN\n",
        ROWS.replace(b"0.5", b"NaN"),
        ROWS.replace(b"0.5", b"1e999"),
    ],
    "gz": [gzip.compress(bytes(1 << 20), mtime=0), b"\x1f\x8b\x08\x08" + b"a" * 100],
    "measured": [b"[" * 100_000, b"3", b'{"curves": 3}', b'{"curves": {"reading": NaN}}'],
    "plan": [
        b"trays = 3\n",
        b'default = "a"\n[trays]\nreview = ["1"]\n',
        b"a = " + b"[" * 9_999,
    ],
}


def encrypted_zip() -> bytes:
    """Return an archive whose member says that it is encrypted: a RuntimeError of zipfile."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("images.npy", b"x")
    content = bytearray(into.getvalue())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


CORPUS["npz"].append(encrypted_zip())


def mutate(rng: random.Random, seeds: list[bytes]) -> bytes:
    """Return one of the seeds, changed in one to four places."""
    content = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(content))
        match rng.choice(["cut", "flip", "insert", "repeat", "number"]):
            case "cut":
                del content[place:]
            case "flip" if place < len(content):
                content[place] ^= 1 << rng.randrange(8)
            case "insert":
                content[place:place] = rng.randbytes(rng.randrange(13))
            case "repeat":
                content[place:place] = content[place : place + rng.randint(1, 200)]
            case "number":
                content[place : place + 4] = rng.choice(
                    [b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4, b"NaN ", b"1e99"]
                )
    return bytes(content)


def mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Draw what `mutate` returns."""
    return st.builds(mutate, st.randoms(use_true_random=False), st.just(seeds))


def write(path: Path, content: bytes) -> None:
    """Write a file, and what must be beside it."""
    path.write_bytes(content)
    if "-images-idx3" in path.name:
        path.with_name("train-labels-idx1-ubyte").write_bytes(labels())


def check(name: str, content: bytes, folder: Path) -> None:
    """Give a reader a file; anything but a result or an error of ours is a fault."""
    read, suffix, _ = READERS[name]
    path = folder / f"train{suffix}"
    write(path, content)
    try:
        read(path)
    except DigitlensError as error:
        assert str(error)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", READERS)
def test_a_mutated_file_is_a_result_or_an_error(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is done to a file, its reader answers, or says what is wrong with it."""

    @FUZZ
    @given(mutated(READERS[name][2]))
    def run(content: bytes) -> None:
        check(name, content, tmp_path_factory.mktemp("fuzz", numbered=True))

    run()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "index"), [(n, i) for n in CORPUS for i in range(len(CORPUS[n]))]
)
def test_what_broke_a_reader_once_does_not_again(name: str, index: int, tmp_path: Path) -> None:
    """Each reproduction of a fault that was found is an error in words now."""
    check(name, CORPUS[name][index], tmp_path)


@FUZZ
@given(
    mutated([b'{"format": 1, "name": "a", "network": "cnn", "threshold": 0.5}', b"[", b"{}"])
)
@pytest.mark.parametrize("kind", [ModelCard, LineModelCard])
def test_a_mutated_card_is_a_card_or_an_error(kind: Any, content: bytes) -> None:
    """A card from anyone is read whole, or refused."""
    try:
        kind.from_json(content.decode("utf-8", "replace"))
    except DigitlensError as error:
        assert str(error)
