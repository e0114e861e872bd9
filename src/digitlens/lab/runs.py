"""What run folders say: how a network was trained, and how that went."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from digitlens.diagnosis import diagnose
from digitlens.errors import RunError
from digitlens.lab.networks import NAME
from digitlens.lab.refusals import UnknownError
from digitlens.training.folder import CONFIG, HISTORY, METRICS, read_config
from digitlens.training.history import from_csv

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.diagnosis import Epoch


def list_runs(runs: Path) -> list[dict[str, Any]]:
    """Return a few words on each run folder, the newest first; damaged ones are passed over."""
    folders = [path.parent for path in runs.glob(f"*/{CONFIG}")]
    dated = sorted(folders, key=lambda path: -(path / CONFIG).stat().st_mtime)
    found = []
    for folder in dated:
        try:
            found.append(_brief(_inside(runs, folder.name)))
        except (RunError, UnknownError):
            continue
    return found


def describe_run(runs: Path, name: str) -> dict[str, Any]:
    """Return all that is known of one run: its recipe, its history, the same in words.

    Raises
    ------
    UnknownError
        There is no run of that name.
    RunError
        Its folder is damaged.
    """
    folder = _inside(runs, name)
    history = _history(folder)
    held = read_config(folder).get("data", {}).get("counts", {}).get("held_back", 0)
    told = diagnose(history, held) if history else None
    return _brief(folder) | {
        "config": read_config(folder),
        "history": [asdict(epoch) for epoch in history],
        "words": None if told is None else told.words,
        "verdict": None if told is None else told.verdict.value,
        "metrics": _metrics(folder),
    }


def _brief(folder: Path) -> dict[str, Any]:
    config, metrics = read_config(folder), _metrics(folder)
    run = config.get("run", {})
    return {
        "name": folder.name,
        "network": run.get("network"),
        "seed": run.get("seed"),
        "epochs": config.get("recipe", {}).get("epochs"),
        "data": config.get("data", {}).get("source"),
        "created": config.get("created", {}).get("at"),
        "finished": metrics is not None,
        "validation": None if metrics is None else metrics.get("validation"),
    }


def _inside(runs: Path, name: str) -> Path:
    folder = runs / name
    known = NAME.fullmatch(name) and (folder / CONFIG).is_file()
    if not known or not folder.resolve().is_relative_to(runs.resolve()):
        raise UnknownError(f"there is no run called {name[:64]!r}", try_="/v1/runs lists all")
    return folder


def _history(folder: Path) -> list[Epoch]:
    try:
        return from_csv((folder / HISTORY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"the history of {folder.name} cannot be read") from error


def _metrics(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"the metrics of {folder.name} cannot be read") from error
    return found if isinstance(found, dict) else None
