"""What ``tools/kills.py`` kills: commands, how a folder is prepared, and the work in it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

PIECES = 16
ZIPS = ("02134", "90210", "10001", "00501")


class Case(NamedTuple):
    """A command that writes; `prepare` fills its folder, and `work` is done in it."""

    name: str
    prepare: Callable[[], None]
    work: Callable[[], None]


def command(*arguments: str) -> Callable[[], None]:
    """Return a run of digitlens."""

    def run() -> None:
        from digitlens.cli import main

        main(arguments)

    return run


def here(work: Callable[[], None]) -> Callable[[], None]:
    """Return a batch whose pictures are read in this process, not in one that it starts."""

    def run() -> None:
        from digitlens.batch import run as batch

        setattr(batch, "available_cpus", lambda: 0)  # noqa: B010 - it is another module's
        work()

    return run


def once(path: str, *arguments: str) -> Callable[[], None]:
    """Return a run of a command that refuses to replace `path`, where that is not there yet."""
    return lambda: None if Path(path).exists() else command(*arguments)()


def anew(folder: str, *arguments: str) -> Callable[[], None]:
    """Return a run of a command that wants a new folder: what a kill left there is removed."""

    def run() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        command(*arguments)()

    return run


def make_mail() -> None:
    """Write pieces of mail, a plan, and what a reader read on them."""
    Path("mail").mkdir()
    rows = []
    for index in range(PIECES):
        pixels = np.full((40, 60), 255 - index, np.uint8)
        Image.fromarray(pixels).save(f"mail/{index:02d}.png")
        text = ZIPS[index % 4] if index % 5 else "1"
        boxes = [[10 * place, 5, 10 * place + 8, 30] for place in range(len(text))]
        digits = [
            {"text": one, "confidence": 0.9999, "box": box}
            for one, box in zip(text, boxes, strict=True)
        ]
        line = {"text": text, "confidence": 0.9999, "box": [0, 5, 58, 30], "digits": digits}
        rows.append(json.dumps({"piece": f"{index:02d}.png", "lines": [line]}))
    Path("read.jsonl").write_text("\n".join(rows) + "\n")
    plan = 'default = "rest"\n[trays]\nma = ["02"]\nca = ["9"]\nny = ["1", "005"]\n'
    Path("plan.toml").write_text(plan)


ROUTE = ("route", "mail", "--plan", "plan.toml", "--readings", "read.jsonl", "--out", "trays")


def route() -> None:
    """Sort the mail; the exit code of what waits is no fault here."""
    with suppress(SystemExit):
        command(*ROUTE)()


def settle_some(count: int = PIECES // 8) -> None:
    """Let a person settle what waits, at most so many pieces, and go by every piece's name."""
    from digitlens.mail.directory import Directory, Place
    from digitlens.mail.plan import make_plan
    from digitlens.mail.sorting import Review

    known = Directory(Place(zip_, "C", ("C",), "NY", "", "STANDARD") for zip_ in ZIPS)
    review = Review(Path("trays"), make_plan(known, "state"), known, now=time.time)
    for _ in range(count):
        task = review.claim("ann")
        if task is None:
            break
        review.settle(task, "02134")
    review.close()


def settle() -> None:
    """Sort the mail and let a person settle half of what waits."""
    make_mail()
    route()
    settle_some()


def lose() -> None:
    """Settle, and lose the state."""
    settle()
    Path("trays/mail.sqlite").write_bytes(b"")
    for end in ("-wal", "-shm"):
        Path(f"trays/mail.sqlite{end}").unlink(missing_ok=True)


def review() -> None:
    """Settle all that waits; then write the listing, which says where each piece is."""
    settle_some(PIECES)
    command(*ROUTE)()


def take_pieces() -> None:
    """Take pieces as a scanner sends them, each until it was taken; then the listing."""
    from digitlens.mail.decision import RoutingPolicy
    from digitlens.mail.directory import load_directory
    from digitlens.mail.plan_files import read_plan
    from digitlens.mail.sorting.intake import Intake
    from digitlens.mail.sorting.stores import make_store
    from digitlens.mail.sorting.trays import Filer

    trays = Path("trays")
    store = make_store(trays, None)
    about = (RoutingPolicy(load_directory()), read_plan(Path("plan.toml")))
    intake = Intake(Path("scans"), store, Filer(store, trays), *about)
    for path in sorted(Path("sent").iterdir()):
        intake.take(path.stem, path.read_bytes(), lambda _: ())
    store.close()
    command(*ROUTE)()


def make_scans() -> None:
    """Sort some mail, and have other pieces that a scanner is to send."""
    make_mail()
    Path("sent").mkdir()
    for index in range(20):
        pixels = np.full((50, 50), 200 - index, np.uint8)
        Image.fromarray(pixels).save(f"sent/s{index}.png")
    route()


def make_pictures() -> None:
    """Write pictures of strokes to be predicted, and some of bare paper."""
    Path("mail").mkdir()
    for index in range(PIECES):
        pixels = np.full((60, 60), 230, np.uint8)
        pixels[10:50, 20 + index // 4 : 26 + index // 4] = 30 if index % 5 else 230
        Image.fromarray(pixels).save(f"mail/{index:02d}.png")


def make_digits() -> None:
    """Write digits to train on."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (200, 28, 28), np.uint8)
    np.savez("digits.npz", images=images, labels=np.arange(200) % 10)


def make_batch() -> None:
    """Predict all pictures in parts."""
    make_pictures()
    with suppress(SystemExit):
        here(command(*BATCH[:-2]))()


BATCH = ("batch", "predict", "mail", "--out", "out", "--part-size", "4", "--workers", "1")


def train(*arguments: str) -> Callable[[], None]:
    """Return what begins a run, or goes on with it; nothing where it has ended."""

    def run() -> None:
        if Path("run/metrics.json").exists():
            return
        # What goes on from another network is short, and is begun again.
        begun = Path("run/config.toml").exists() and "--from" not in arguments
        command("train", *(arguments[:1] if begun else arguments), "--out", "run",
                *(("--resume",) if begun else ()))()  # fmt: skip

    return run


def download() -> None:
    """Do what a download does, without a network: slow bytes, and a file at the end."""
    from digitlens.storage import new_file

    for number in range(8):
        target = Path("cache") / f"part-{number}"
        if not target.exists():
            with new_file(target) as (file, _):
                for _ in range(8):
                    file.write(bytes(1 << 17))
                    file.flush()
                    time.sleep(0.004)


def train_reader() -> None:
    """Train a small reader of lines for a few steps, or go on with it."""
    from digitlens.models.recipe import LineRecipe
    from digitlens.training import line_task
    from digitlens.training import train_reader as train_lines

    if Path("run/metrics.json").exists():
        return
    line_task.VALIDATION_LINES = 64
    recipe = LineRecipe(
        steps=6,
        batch=2,
        warmup_steps=2,
        decay_steps=2,
        frame_loss_steps=3,
        eval_every=2,
        widths=(4, 6, 8, 8),
        style="clean",
    )
    resume = Path("run/config.toml").exists()
    begin = partial(train_lines, "reader", "digits.npz", out="run", writers=0)
    begin(resume=True) if resume else begin(recipe=recipe, seed=1)


TUNE = ("tiny", "--from", "tiny", "--data", "digits.npz", "--epochs", "3", "--seed", "1")
CASES = (
    Case("route", make_mail, command(*ROUTE)),
    Case("route --copy", make_mail, command(*ROUTE, "--copy")),
    Case("mail review", settle, review),
    Case("mail pieces", make_scans, take_pieces),
    Case(
        "mail corrections",
        settle,
        command("mail", "corrections", "--trays", "trays", "--out", "saved"),
    ),
    Case("mail repair", lose, command("mail", "repair", "mail", "--trays", "trays")),
    Case(
        "mail plan",
        lambda: None,
        command("mail", "plan", "--by", "zip3", "--out", "p.toml", "--force"),
    ),
    Case(
        "mail sample",
        lambda: None,
        command("mail", "sample", "1", "--out", "s", "--digits", "drawn", "--force"),
    ),
    Case(
        "mail barcode",
        lambda: None,
        command("mail", "barcode", "02134", "--out", "b.png", "--force"),
    ),
    Case(
        "train",
        make_digits,
        train("tiny", "--epochs", "4", "--seed", "1", "--data", "digits.npz"),
    ),
    Case("train --from", make_digits, train(*TUNE)),
    Case("train reader", make_digits, train_reader),
    Case(
        "evaluate",
        make_digits,
        command("evaluate", "tiny", "--data", "digits.npz", "--report", "r", "--part", "all"),
    ),
    Case("explain", make_pictures, anew("e", "explain", "tiny", "mail/01.png", "--out", "e")),
    Case(
        "data show",
        make_digits,
        command("data", "show", "digits.npz", "--out", "d.png", "--force"),
    ),
    Case(
        "data check",
        make_digits,
        command("data", "check", "digits.npz", "--out", "c.html", "--force"),
    ),
    Case(
        "export",
        lambda: None,
        once("t.onnx", "export", "tiny", "--to", "onnx", "--out", "t.onnx"),
    ),
    Case("export hub", lambda: None, anew("h", "export", "tiny", "--to", "hub", "--out", "h")),
    Case("serve --export", lambda: None, command("serve", "--export", "lab")),
    Case("predict", make_pictures, command("predict", "mail", "--stages", "s")),
    Case(
        "read",
        make_pictures,
        command("read", "mail/01.png", "--annotate", "a", "--stages", "s"),
    ),
    Case("batch", make_pictures, command(*BATCH)),
    Case(
        "batch read",
        make_pictures,
        here(command("batch", "read", "mail", *BATCH[3:-2])),
    ),
    Case("batch collect", make_batch, command("batch", "collect", "out", "--out", "all.jsonl")),
    Case("fetch", lambda: Path("cache").mkdir(), download),
)
