"""The run folder: claimed once, locked while it is written, readable after a kill.

``config.toml`` is written first, ``metrics.json`` last: a folder with the first and without the
second is unfinished, and ``--resume`` goes on with it.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digitlens.errors import RunError
from digitlens.storage import (
    lock_file,
    make_folder,
    read_regular,
    storage_errors,
    sweep_leftovers,
    write_text,
)

FORMAT = 1
RUNS = Path("runs/train")

CONFIG = "config.toml"
HISTORY = "history.csv"
HISTORY_PLOT = "history.png"
CONFUSION_PLOT = "confusion.png"
METRICS = "metrics.json"
BEST_WEIGHTS = "weights.safetensors"
CHECKPOINT = "last.safetensors"
MODEL = "model.onnx"
CARD = "card.md"
CHANGES = "changes.md"
LOCK = ".lock"

WRITTEN = (
    HISTORY,
    HISTORY_PLOT,
    CONFUSION_PLOT,
    BEST_WEIGHTS,
    CHECKPOINT,
    MODEL,
    CARD,
    CHANGES,
)
"""What a run writes after config.toml and before metrics.json."""

TABLES = {"run", "recipe", "data", "machine", "versions", "created"}
"""The tables of config.toml."""

MAX_BYTES = 1 << 24
"""Of a text file in a run folder: honest ones have a thousandth of it."""


def claim_run_folder(network: str, out: Path | None, *, runs: Path = RUNS) -> Path:
    """Make a new run folder and return it: `out`, or the next free ``<network>-<n>``.

    Raises RunError: `out` is there already and not empty; StorageError: the folder cannot be
    made.
    """
    if out is not None:
        make_folder(out)
        with storage_errors(out):
            # A kill before config.toml leaves the lock and a leftover: that is no run yet.
            sweep_leftovers(out)
            taken = sorted(entry.name for entry in out.iterdir() if entry.name != LOCK)
        if taken:
            raise RunError(
                f"{out} must be empty or not there yet: a run never overwrites",
                seen=", ".join(taken[:5]) + (" ..." if len(taken) > 5 else ""),
                likely="a run that was cut off" if _is_unfinished(out) else None,
                try_="--resume to go on with it" if _is_unfinished(out) else "another --out",
            )
        return out
    make_folder(runs)
    number = 1 + max((n for n, _ in _numbered(network, runs)), default=0)
    while True:
        folder = runs / f"{network}-{number}"
        with storage_errors(folder):
            try:
                folder.mkdir()
            except FileExistsError:  # another process was faster
                number += 1
                continue
        return folder


def clear_cut_off_tuning(folder: Path) -> None:
    """Remove what a fine-tuning wrote that was killed at its end: it is begun again, whole.

    Any other folder stays as it is. Raises RunError: another process writes to it, or its
    config.toml is damaged; StorageError: it cannot be removed.
    """
    if not _is_unfinished(folder) or "start" not in read_config(folder):
        return
    with lock_run(folder), storage_errors(folder):
        if _is_unfinished(folder):
            for name in WRITTEN:
                (folder / name).unlink(missing_ok=True)
            # Last, as it says what this is, if this too is cut off.
            (folder / CONFIG).unlink()


def find_unfinished(network: str, *, runs: Path = RUNS) -> Path:
    """Return the newest run of `network` that was cut off; no fine-tuning, which begins again.

    Raises RunError: there is none, or the config.toml of one is damaged.
    """
    for _, folder in sorted(_numbered(network, runs), reverse=True):
        if _is_unfinished(folder) and "start" not in read_config(folder):
            return folder
    raise RunError(
        f"no unfinished run of {network} is here to go on with",
        seen=f"looked for {runs / network}-<n> without {METRICS}",
        try_="name its folder with --out, or train without --resume",
    )


def find_newest_finished(network: str | None = None, *, runs: Path = RUNS) -> Path | None:
    """Return the run folder that was finished last, of `network` or of any, or None."""
    folders = "*" if network is None else f"{network}-*"
    done = [path.parent for path in runs.glob(f"{folders}/{METRICS}")]
    return max(done, key=lambda folder: (folder / METRICS).stat().st_mtime, default=None)


def _is_unfinished(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and not (folder / METRICS).is_file()


def _numbered(network: str, runs: Path) -> list[tuple[int, Path]]:
    result = []
    for folder in runs.glob(f"{network}-*"):
        number = folder.name.removeprefix(f"{network}-")
        if number.isdecimal():
            result.append((int(number), folder))
    return result


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Write what the run is made of; `config` gains the format's number."""
    import tomli_w  # here, so that runs can be found and read without the extra `train`

    write_text(folder / CONFIG, tomli_w.dumps({"format": FORMAT, **config}))


def read_config(folder: Path) -> dict[str, Any]:
    """Return what the run in `folder` is made of.

    Raises RunError: no run folder, a damaged one, or one of another format.
    """
    path = folder / CONFIG
    try:
        config = tomllib.loads(read_regular(path, MAX_BYTES).decode())
    except OSError as error:
        raise RunError(
            f"{folder} is no run folder: it must hold {CONFIG}",
            seen=error.strerror if os.path.lexists(folder) else "no such folder",
            try_="digitlens train NETWORK makes one",
        ) from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, nested without end
        raise RunError(f"{path} cannot be read", seen=str(error)) from error
    for name in TABLES & config.keys():
        if not isinstance(config[name], dict):
            raise RunError(f"{path}: {name} must be a table", seen=str(config[name])[:60])
    if config.get("format") != FORMAT:
        version = config.get("versions", {}).get("digitlens", "unknown")
        raise RunError(
            f"{path} must be of format {FORMAT}",
            seen=f"format {config.get('format')!r}, written by digitlens {version}",
            likely="another version of digitlens wrote it",
            try_="go on with that version, or start a new run",
        )
    return config


def read_metrics(folder: Path) -> dict[str, Any] | None:
    """Return what was measured of the run in `folder`; None where it is not finished.

    Raises RunError: the file is damaged, or holds what is no number.
    """
    path = folder / METRICS
    try:
        metrics = json.loads(read_regular(path, MAX_BYTES), parse_constant=_refuse_constant)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read", seen=str(error)) from error
    if not isinstance(metrics, dict):
        raise RunError(f"{path} must hold names and values", seen=str(metrics)[:60])
    return metrics


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process alone; the lock ends with the process, however it ends.

    Raises RunError: another process writes to it.
    """
    with lock_file(
        folder / LOCK,
        f"process {os.getpid()}",
        wanted=f"{folder} is being written by another process",
        try_="wait for it to end, or train into another --out",
    ):
        yield
