"""Digits of the whole world: MNIST, pen digits, fonts and forms made by rule, in one source.

What `digitlens train universal` learns from. Each source has a part of its own that is never
trained on: MNIST's test digits, a fifth of the pen digits' writers, a fifth of the families of
fonts; they are the test part. Validation holds back the same share of the writers and families
of each source. MNIST's digits stand for themselves; a pen digit is drawn with several pens, a
font printed several times.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitlens.data.font_digits import (
    print_digits,
    print_signs,
    read_faces,
    read_fonts,
    split_families,
)
from digitlens.data.pen_digits import draw_digits, read_pen, read_strokes
from digitlens.data.split import RawDataset, join, set_aside_writers, split_data
from digitlens.digits import CLASSES, Digits, Images, Indices

NAME = "world"
PENS = 5  # pens that each pen digit is drawn with
PRINTS = 5  # prints of each digit of each face
FORMS = 16_000  # digits made by rule, of all classes
OPEN_FOURS = 2_000  # open 4s made by rule, beside those
SIGNS = 30  # signs that are no digit, printed in each face
PATTERNS = 6_000  # textures and other surfaces that are no digit

# Digits that are drawn with so many pens more, and turned by as many degrees either way: who
# holds the paper askew writes an open 4 that looks like a 9.
TURNED = (4, 9)
MORE_PENS = 3
TILT = 10.0

# Digits made by rule are dealt out to so many hands, some of which validation holds back.
HANDS = 100

SEED = 6

# Added to the writers of each source, so that no two share a number.
PEN, FONTS, RULE = 1_000_000, 2_000_000, 3_000_000

# The group of writers of each source, beside those of MNIST.
GROUPS = {PEN: 100, FONTS: 101, RULE: 102}


def read_world(mnist: RawDataset) -> RawDataset:
    """Return all sources as one, before validation digits are held back.

    mnist: MNIST, with its test part

    Raises MissingDataError: the pen digits or the fonts are not at hand.
    """
    from digitlens.synth.patterns import draw_patterns

    assert mnist.test is not None, "MNIST has a test part"
    rng = np.random.default_rng(SEED)
    pen, pen_test, pen_hashes = _read_pen(rng)
    fonts, fonts_test, signs, font_hashes = _read_fonts(rng)
    rule = _make_forms(rng)
    groups = mnist.partitions
    writers = mnist.train.writers
    # Without QMNIST's tables each digit is its own writer.
    if groups is None or writers is None:
        groups = np.zeros(len(mnist.train), np.int64)
        writers = np.arange(len(mnist.train))
    train = join([replace(mnist.train, writers=writers), pen, fonts, rule], source=NAME)
    added = [
        np.full(len(part), GROUPS[key])
        for key, part in ((PEN, pen), (FONTS, fonts), (RULE, rule))
    ]
    return RawDataset(
        NAME,
        train,
        {**mnist.hashes, **pen_hashes, **font_hashes},
        test=join([mnist.test, pen_test, fonts_test], source=NAME),
        partitions=np.concatenate([groups, *added]).astype(np.int64),
        negatives=np.concatenate([signs, draw_patterns(PATTERNS, rng)]),
    )


def find_mnist(digits: Digits) -> NDArray[np.bool_]:
    """Return which digits of this source are MNIST's own: bool (N,)."""
    assert digits.writers is not None, "all sources know who wrote or drew a digit"
    return digits.writers < PEN


def _read_pen(rng: np.random.Generator) -> tuple[Digits, Digits, dict[str, str]]:
    """Return digits of the writers to learn from, those of the others, and hashes."""
    strokes, hashes = read_strokes()
    kept = np.flatnonzero(~set_aside_writers(strokes.writers))
    turned = np.tile(kept[np.isin(strokes.labels[kept], TURNED)], MORE_PENS)
    which = np.concatenate([np.tile(kept, PENS), turned])
    images = np.concatenate(
        [
            draw_digits(strokes, which[: len(which) - len(turned)], rng),
            draw_digits(strokes, turned, rng, tilt=TILT),
        ]
    )
    train = Digits(images, strokes.labels[which], writers=strokes.writers[which] + PEN)
    return train, _test_part(read_pen()), hashes


def _read_fonts(
    rng: np.random.Generator,
) -> tuple[Digits, Digits, Images, dict[str, str]]:
    """Return digits of the families to learn from, those of the others, signs, and hashes."""
    faces, hashes = read_faces()
    kept, _ = split_families(faces)
    images = print_digits(kept * PRINTS, rng)
    families = np.repeat([face.number for face in kept] * PRINTS, CLASSES)
    labels = np.tile(np.arange(CLASSES, dtype=np.uint8), len(kept) * PRINTS)
    train = Digits(images, labels, writers=families.astype(np.int64) + FONTS)
    return train, _test_part(read_fonts()), print_signs(kept * SIGNS, rng), hashes


def _test_part(parts: RawDataset) -> Digits:
    return split_data(parts, validation=0, limit=None).test


def _make_forms(rng: np.random.Generator) -> Digits:
    from digitlens.synth.rule_forms import render_form, render_open_four

    labels = np.append(np.arange(FORMS) % CLASSES, np.full(OPEN_FOURS, 4))
    images = [render_form(int(label), rng) for label in labels[:FORMS]]
    images += [render_open_four(rng) for _ in range(OPEN_FOURS)]
    hands: Indices = rng.integers(HANDS, size=len(labels))
    return Digits(np.stack(images), labels.astype(np.uint8), writers=hands + RULE)
