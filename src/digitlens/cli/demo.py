"""digitlens demo: the whole course, from pixels to an honest figure, in under a minute."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated

from digitlens.cli.console import announce, bold, check_extra, echo, has_color, option
from digitlens.errors import MissingDataError, UsageError

if TYPE_CHECKING:
    from digitlens.data import DataSplits
    from digitlens.models.inference import Model
    from digitlens.training import Run


WIDTH = 80


def demo(
    out: Annotated[
        Path | None, option("DIR", "A new folder for it all; else demo, demo-2, ...")
    ] = None,
    data: Annotated[str, option("SOURCE", "Other digits than MNIST's, such as uci.")] = "mnist",
) -> None:
    """Go through the whole course in under a minute: start here.

    The digits, one of them as numbers, a fully connected network and its history, a
    convolutional one, both compared on the test digits, and a picture read.
    """
    check_extra("train")
    folder = _claim_folder(out)
    loaded = load_data(data, folder)
    show_digit(loaded)
    dense = train_dense(loaded, folder)
    cnn = train_convolutional(loaded, folder)
    best = test_both(loaded, dense, cnn, folder)
    read_picture(loaded, best, folder)
    say_what_next(loaded, folder)


def _claim_folder(out: Path | None) -> Path:
    """Return the folder of this demo, empty or not there yet."""
    from digitlens.storage import make_folder, sweep_leftovers

    if out is None:
        number, out = 1, Path("demo")
        while out.exists():
            number += 1
            out = Path(f"demo-{number}")
    else:
        sweep_leftovers(out)
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"{out} must be empty or not there yet", try_="another --out")
    make_folder(out)
    return out


def load_data(source: str, folder: Path) -> DataSplits:
    """Load the digits, or those that come with digitlens when MNIST cannot be had."""
    from digitlens.data import load_digits
    from digitlens.data.features import grid_png
    from digitlens.storage import write_bytes

    section(1, "The digits", "mnist.load_data(), 60,000 + 10,000 pictures of 28 x 28 pixels")
    try:
        data = load_digits(source)
    except MissingDataError as error:
        if source != "mnist":
            raise
        announce(f"WITHOUT MNIST: {error}")
        announce()
        announce(
            bold(
                "Going on with uci instead: 1,797 digits that come with digitlens.", sys.stderr
            ),
            styled=True,
        )
        announce(bold("All figures below are uci's, not MNIST's.", sys.stderr), styled=True)
        announce()
        data = load_digits("uci")
    say(
        f"{data.source}: {len(data.train):,} digits to train on, {len(data.validation):,} held "
        f"back to judge the training by, {len(data.test):,} for the test. Those stay closed "
        "until section 5."
    )
    say(f"Split {data.split}.")
    picture = folder / "digits.png"
    write_bytes(picture, grid_png(data.train.images[:200], columns=20, zoom=2))
    say(f"The first 200: {picture}")
    return data


def show_digit(data: DataSplits) -> None:
    """Show one digit as a picture, as numbers, as features; and its label as ten numbers."""
    from digitlens.data.features import as_text, feature_index, one_hot, unroll

    section(
        2,
        "A picture is numbers",
        "reshape(60000, 784), astype('float32') / 255, to_categorical",
    )
    image, label = data.train.images[0], data.train.labels[:1]
    show(as_text(image, color=has_color(sys.stdout)).strip("\n"))
    echo()
    echo(as_text(image, numbers=True))  # not indented: with four columns a pixel it is 79 wide
    echo()
    row, column = divmod(int(image.argmax()), image.shape[1])
    feature = feature_index(row, column)
    value = unroll(image[None])[0, feature]
    say(
        "Row by row, its 28 x 28 pixels are 784 features, each divided by 255: the pixel in "
        f"row {row}, column {column} is feature {feature} (28 x {row} + {column}), and its "
        f"{image[row, column]} becomes {value:.3f}."
    )
    ones = " ".join(f"{value:.0f}" for value in one_hot(label)[0])
    say(f"Its label {label[0]} is ten numbers too, a single one among zeros: {ones}")


def train_dense(data: DataSplits, folder: Path) -> Run:
    """Train the course's network for long enough to overfit."""
    section(
        3,
        "A fully connected network",
        "Dense(512), Dense(256), Dense(128), Dense(10); fit(validation_split=0.1), "
        "plot(history)",
    )
    return _train("dense", data, folder, recipe="course")


def train_convolutional(data: DataSplits, folder: Path) -> Run:
    """Train the convolutional network by its recipe."""
    section(
        4,
        "A convolutional network",
        "Conv2D(32), MaxPooling2D, Conv2D(64), MaxPooling2D, Flatten, Dense(64), Dense(10)",
    )
    return _train("course-cnn", data, folder, recipe=None)


def _train(network: str, data: DataSplits, folder: Path, *, recipe: str | None) -> Run:
    from digitlens.cli.progress import TrainingProgress
    from digitlens.metrics.formatting import plural
    from digitlens.training import train

    run = train(network, data, recipe=recipe, out=folder / network, progress=TrainingProgress())
    say(run.diagnosis.words)
    if run.count:
        say(
            f"Best epoch: {run.diagnosis.best} of {len(run.history)}, with "
            f"{plural(run.misses, 'miss', 'misses')} in the {run.count:,} digits held back. "
            "Its weights are kept."
        )
    say(f"The history as a plot: {run.folder / 'history.png'}")
    return run


def test_both(data: DataSplits, dense: Run, cnn: Run, folder: Path) -> Model:
    """Open the test digits, compare both networks and write the report of the second."""
    from digitlens.cli.evaluate import write_report
    from digitlens.metrics.comparison import compare

    section(5, "The test, opened once", "model.evaluate(x_test, y_test)")
    models = [dense.model, cnn.model]
    comparison = compare(models, data.test)
    show(comparison.summary(WIDTH - 3))
    echo()
    # The convolutional one, whoever has won: to choose by the test would flatter the choice.
    written = write_report(comparison.evaluations[1], folder, card=cnn.model.card)
    say(f"The errors of {cnn.model.name} that it was surest of: {folder / 'errors.png'}")
    say(f"Everything that was counted about it: {written}")
    return cnn.model


def read_picture(data: DataSplits, model: Model, folder: Path) -> None:
    """Write one digit as a picture file, and read it back from there."""
    from digitlens.data.features import grid_png
    from digitlens.imaging import frame_digit
    from digitlens.storage import write_bytes

    section(6, "A picture is read", "model.predict(x), argmax")
    picture = folder / "picture.png"
    write_bytes(picture, grid_png(data.test.images[:1]))
    answer = model.predict(frame_digit(picture)[None])
    shares = answer.probabilities[0]
    ranked = shares.argsort()[::-1][:3]
    say(
        f"{picture}: {model.name} reads {answer.labels[0]}, and it is a {data.test.labels[0]}. "
        "How sure it is: "
        + ", ".join(f"{index} {100 * shares[index]:.2f} %" for index in ranked)
        + "."
    )


def say_what_next(data: DataSplits, folder: Path) -> None:
    """Say where everything lies and what to type next."""
    echo()
    echo(bold("What is where", sys.stdout), styled=True)
    for name, what in (
        ("dense/", "the run of the fully connected network: weights, history, card"),
        ("course-cnn/", "the run of the convolutional network"),
        ("report.html", "the figures and the worst errors; open it in a browser"),
    ):
        say(f"{str(folder / name) + ('/' if name.endswith('/') else ''):<22} {what}")
    echo()
    echo(bold("What to type next", sys.stdout), styled=True)
    if which("digitlens") is None:
        say(f"first, once in this terminal: source {Path(sys.executable).parent / 'activate'}")
    for command, what in (
        (f"digitlens predict {folder / 'picture.png'} --model {folder / 'course-cnn'}", ""),
        (f"digitlens data show {data.source} --index 7", "another digit as numbers"),
        ("digitlens summary cnn", "its layers, one by one"),
        ("digitlens train lenet5", "the network of 1998"),
        ("digitlens --help", "all commands"),
    ):
        show(f"{command:<47} {what}".rstrip())


def section(number: int, title: str, course: str) -> None:
    """Print the head of a section, and what the course calls what follows."""
    echo()
    echo(bold(f"{number}  {title}", sys.stdout), styled=True)
    say(f"in the course: {course}")
    echo()


def say(text: str) -> None:
    """Print `text`, wrapped and indented; at once, so that progress comes after it."""
    echo(textwrap.fill(text, WIDTH, initial_indent="   ", subsequent_indent="   "))
    sys.stdout.flush()


def show(block: str) -> None:
    """Print lines as they are, indented."""
    echo(textwrap.indent(block, "   "), styled=True)
    sys.stdout.flush()
