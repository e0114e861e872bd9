"""digitlens stress: a model's accuracy as the pictures get worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.evaluate import PARTS, part_of, place_name
from digitlens.cli.options import JsonOption, ModelArgument, PartOption, SourceOption, one_of
from digitlens.cli.output import give, give_json, tell
from digitlens.errors import MissingExtraError

if TYPE_CHECKING:
    from digitlens.stress import StressResult

PLOT = "stress.png"
FIGURES = "stress.json"


def stress(
    model: ModelArgument,
    data: SourceOption = "mnist",
    part: PartOption = "test",
    limit: Annotated[
        int,
        typer.Option(metavar="N", help="At most so many digits, evenly spread over the part."),
    ] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the chance in the changes.")] = 0,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For plot and figures; else reports/MODEL-SOURCE."),
    ] = None,
) -> None:
    """Measure how accuracy falls as digits are changed more strongly.

    Shifted, turned, scaled, thicker, thinner, blurred, in fog, noisy, inverted, covered: each
    in steps from none to hard, for the network alone and after framing. Framing takes about a
    minute for the 1,000 digits. Writes stress.png and stress.json."""
    one_of("--part", part, PARTS)
    from digitlens.model import load_model
    from digitlens.stress import FAMILIES
    from digitlens.stress import stress as stress_model

    loaded = load_model(model)
    digits = part_of(data, part)
    names = [family.name for family in FAMILIES]

    def progress(name: str) -> None:
        tell(f"{names.index(name) + 1}/{len(names)} {name}")

    found = stress_model(loaded, digits, seed=seed, limit=limit, progress=progress)
    written = _write(found, out or Path("reports", f"{loaded.name}-{place_name(data, part)}"))
    if as_json:
        give_json(found.as_dict())
    else:
        give(found.summary())
    tell("written: " + ", ".join(str(path) for path in written))


def _write(found: StressResult, folder: Path) -> list[Path]:
    """Write figures and plot into `folder`; without matplotlib the plot is left out, said so.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    import json

    from digitlens.atomic import make_folder, write_bytes, write_text

    make_folder(folder)
    written = [folder / FIGURES]
    write_text(written[0], json.dumps(found.as_dict(), indent=2) + "\n")
    try:
        from digitlens import plots

        write_bytes(folder / PLOT, plots.stress(found))
        written.append(folder / PLOT)
    except MissingExtraError as error:
        tell(f"without {PLOT}: {error.wanted}")
    return written
