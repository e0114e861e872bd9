"""The peer: Keras' own example mnist_convnet, run in a virtual environment of its own.

The network, optimiser, batch and validation split are those of "Simple MNIST convnet" by
F. Chollet in the Keras examples (Apache 2.0); 12 epochs, as the example long had. The digits
come from the same files that digitlens reads, so that neither waits for a network.

Prints one line of JSON: test misses, digits/s and seconds for one digit of `predict`.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

EPOCHS = 12
BATCH = 128
CLASSES = 10


def read(name: str, offset: int) -> np.ndarray:
    """Return the bytes of one MNIST file after its header."""
    content = gzip.decompress(
        (Path(os.environ["DIGITLENS_DATA"].split(os.pathsep)[0]) / name).read_bytes()
    )
    return np.frombuffer(content, np.uint8, offset=offset)


def digits(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return float pictures (N, 28, 28, 1) in 0..1 and labels (N,)."""
    images = read(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)
    return images.astype("float32") / 255, read(f"{part}-labels-idx1-ubyte.gz", 8)


def network() -> keras.Sequential:
    """Build the example's network."""
    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def train() -> None:
    """Train as the example does and save the network for `predict`."""
    images, labels = digits("train")
    model = network()
    model.fit(
        images,
        keras.utils.to_categorical(labels, CLASSES),
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_split=0.1,
        verbose=0,
    )
    test_images, test_labels = digits("t10k")
    answers = model.predict(test_images, verbose=0).argmax(1)
    model.save(sys.argv[2])
    print(json.dumps({"misses": int((answers != test_labels).sum())}))


def build() -> None:
    """Save the network as it begins: for its speed it need not be trained."""
    network().save(sys.argv[2])


def predict() -> None:
    """Time `predict` on batches and on one digit."""
    model = keras.models.load_model(sys.argv[2])
    images, _ = digits("t10k")
    model.predict(images[:2000], batch_size=1000, verbose=0)
    model.predict(images[:1], verbose=0)
    batches, ones = [], []
    for _ in range(5):
        began = time.perf_counter()
        model.predict(images, batch_size=1000, verbose=0)
        batches.append(time.perf_counter() - began)
    for _ in range(30):
        began = time.perf_counter()
        model.predict(images[:1], verbose=0)
        ones.append(time.perf_counter() - began)
    figures = {
        "digits_per_second": len(images) / statistics.median(batches),
        "one_digit_seconds": statistics.median(ones),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    {"train": train, "build": build, "predict": predict}[sys.argv[1]]()
