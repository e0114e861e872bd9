"""The convolutional networks: quick, course-cnn, convnet, cnn, universal, best and tiny.

All take float (N, 1, 28, 28) in 0..1, 1 = ink, and give logits (N, 10); cnn and best give
(N, 11), the eleventh for "no digit". Each function says what was measured of its network; how
they are trained stands at the end.
"""

from __future__ import annotations

from torch import nn

from digitlens.digits import CLASSES
from digitlens.models.architectures import Architecture, conv_block, dense_block
from digitlens.models.recipe import Recipe


def quick() -> nn.Sequential:
    """Build a convolutional network that one epoch is enough for.

    99.225 % of MNIST's test digits, sd 0.038, seeds 0 to 9, each trained once on all 60,000, in
    3.0 s from start to exit; Keras' own mnist_convnet took 107.7 s in the same run (`make
    bench-training`, 2026-11-21, two cores of an Intel Xeon with AMX, torch 2.13.0). The recipe
    was chosen on folds of writers.
    """
    return nn.Sequential(
        *conv_block(1, 32, 6, stride=3),  # 8 x 8
        *conv_block(32, 32, 3),  # 6 x 6
        nn.Flatten(),
        *dense_block(32 * 6 * 6, 128),
        nn.Linear(128, CLASSES),
    )


def course_cnn() -> nn.Sequential:
    """Build the course's convolutional network: two convolutions, each pooled, then dense.

    68 and 71 test misses (99.32 and 99.29 %), seeds 1 and 2, each trained once on all 60,000
    in four epochs (2026-11-29).
    """
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3),  # 26 x 26
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),  # 13 x 13
        nn.Conv2d(32, 64, kernel_size=3),  # 11 x 11
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),  # 5 x 5
        nn.Flatten(),
        nn.Linear(64 * 5 * 5, 64),
        nn.ReLU(inplace=True),
        nn.Linear(64, CLASSES),
    )


def convnet(
    *, outputs: int = CLASSES, widths: tuple[int, int, int, int] = (16, 32, 64, 128)
) -> nn.Sequential:
    """Build the layers of cnn, for training on labels alone and in seconds.

    99.612 % of MNIST's test digits, sd 0.018, seeds 0 to 9, each trained once on all 60,000
    (`make bench-seeds`, 2026-11-21, two cores of an Intel Xeon with AMX, torch 2.13.0), in 17 s
    from start to exit. The recipe was chosen on folds of writers.
    """
    first, second, third, hidden = widths
    return nn.Sequential(
        *conv_block(1, first, 5, stride=2),  # 12 x 12
        *conv_block(first, second, 3),  # 10 x 10
        *conv_block(second, third, 3, stride=2),  # 4 x 4
        nn.Flatten(),
        *dense_block(third * 4 * 4, hidden),
        nn.Linear(hidden, outputs),
    )


def cnn() -> nn.Sequential:
    """Build MNIST's network: convnet with an eleventh output, taught by best.

    36 test misses (99.64 %), seed 0 (`make bench-published`, 2026-11-21); 15 minutes to train
    on one core of an Intel Xeon with AMX, most of which its teacher takes. It learns what ten
    larger networks answer together, on digits that it sees degraded and they see clean.
    """
    return convnet(outputs=CLASSES + 1)


def universal() -> nn.Sequential:
    """Build the network for digits of any country, written, printed and shown.

    99.65 % of MNIST's test digits (35 misses), 99.04 % of pen digits of six unseen writers,
    99.39 % of 59 unseen families of fonts, 99.36 % of USPS digits; seed 0, one run
    (`benchmarks/world.py`, 2026-11-29); 44 epochs of 50 s on a core of an Intel Xeon without
    AMX. The layers are cnn's, half as wide again; `digitlens.data.world` is what it learns.
    """
    return convnet(outputs=CLASSES + 1, widths=(24, 48, 96, 160))


def best() -> nn.Sequential:
    """Build one member of best: ten networks that answer together.

    24 test misses (99.76 %); its members alone 99.697 % +- 0.022 (`make bench-published`,
    `benchmarks/seeds.py --members`, 2026-11-21); 40 minutes on two cores of an Intel Xeon with
    AMX, two members at a time. The members differ only in their seeds, and all of them answer,
    none chosen by its score. The recipe was chosen on folds of writers.
    """
    return nn.Sequential(
        *conv_block(1, 32, 5, stride=2),  # 12 x 12
        *conv_block(32, 64, 3),  # 10 x 10
        *conv_block(64, 96, 3),  # 8 x 8
        *conv_block(96, 128, 3),  # 6 x 6
        nn.MaxPool2d(2),  # 3 x 3
        nn.Flatten(),
        *dense_block(128 * 3 * 3, 192),
        nn.Linear(192, CLASSES + 1),
    )


def tiny() -> nn.Sequential:
    """Build a network of as few weights as possible for 99 %, taught by cnn.

    99.171 % +- 0.073 on the test set, seeds 0 to 9, all 60,000 digits trained on (`make
    bench-seeds`, 2026-11-21, an Intel Xeon with AMX, torch 2.13.0), three minutes a seed.

    Depthwise kernels look, pointwise ones mix (Howard et al. 2017, arXiv 1704.04861); at the
    end one kernel a map, as large as the map, keeps where things are, which averaging would
    lose.
    """
    return nn.Sequential(
        *conv_block(1, 8, 5),  # 24 x 24
        nn.MaxPool2d(2),  # 12 x 12
        nn.Conv2d(8, 8, kernel_size=3, groups=8, bias=False),  # depthwise, 10 x 10
        *conv_block(8, 16, 1),  # pointwise
        nn.Conv2d(16, 16, kernel_size=3, groups=16, bias=False),  # depthwise, 8 x 8
        *conv_block(16, 18, 1),  # pointwise
        nn.MaxPool2d(2),  # 4 x 4
        *conv_block(18, 18, 4, groups=18),  # depthwise, 1 x 1
        nn.Flatten(),
        nn.Linear(18, CLASSES),
    )


# Recipes were chosen on validation writers, or on folds of writers; the test set had no say.
ARCHITECTURES = {
    "quick": Architecture(
        quick,
        Recipe(
            epochs=1,
            batch=256,
            learning_rate=0.03,
            betas=(0.9, 0.95),
            weight_decay=0.05,
            label_smoothing=0.03,
            temperature=1.7,
            translate=1,
        ),
        weights=159_498,
        multiply_adds=554_240,
    ),
    "course-cnn": Architecture(
        course_cnn,
        Recipe(
            epochs=4,
            batch=128,
            learning_rate=0.003,
            weight_decay=0.05,
            label_smoothing=0.05,
            temperature=1.6,
            translate=1,
        ),
        weights=121_930,
        multiply_adds=2_528_000,
    ),
    "convnet": Architecture(
        convnet,
        Recipe(
            epochs=7,
            batch=256,
            learning_rate=0.012,
            weight_decay=0.05,
            label_smoothing=0.05,
            temperature=1.85,
            translate=2,
            rotate=8.0,
            scale=0.08,
            shear=0.1,
        ),
        weights=156_282,
        multiply_adds=945_664,
    ),
    "cnn": Architecture(
        cnn,
        Recipe(
            epochs=32,
            batch=256,
            learning_rate=0.012,
            weight_decay=0.05,
            temperature=1.85,
            translate=2,
            rotate=8.0,
            scale=0.08,
            shear=0.1,
            degrade=0.0625,
            negatives=0.06,
            reframe=0.4,
            freeze_norm=0.3,
            teacher="best",
        ),
        weights=156_411,
        multiply_adds=945_792,
    ),
    "universal": Architecture(
        universal,
        Recipe(
            epochs=44,
            batch=256,
            learning_rate=0.012,
            weight_decay=0.05,
            label_smoothing=0.05,
            temperature=1.85,
            translate=2,
            rotate=8.0,
            scale=0.08,
            shear=0.1,
            degrade=0.0625,
            negatives=0.07,
            reframe=0.05,
            freeze_norm=0.3,
            teacher="best",
            teacher_once=True,
        ),
        weights=300_627,
        multiply_adds=2_034_272,
    ),
    "best": Architecture(
        best,
        Recipe(
            epochs=40,
            batch=256,
            learning_rate=0.008,
            weight_decay=0.05,
            label_smoothing=0.05,
            temperature=1.85,
            translate=2,
            rotate=12.0,
            scale=0.12,
            shear=0.15,
            elastic=0.4,
            degrade=0.0625,
            negatives=0.04,
            freeze_norm=0.2,
        ),
        weights=409_451,
        multiply_adds=9_701_952,
    ),
    "tiny": Architecture(
        tiny,
        Recipe(
            epochs=40,
            batch=128,
            learning_rate=0.02,
            weight_decay=0.0,
            temperature=1.0,
            translate=1,
            rotate=5.0,
            scale=0.05,
            shear=0.05,
            teacher="cnn",
        ),
        weights=1_430,
        multiply_adds=163_316,
    ),
}
