"""digitlens explain: why a model reads a picture as it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.console import JsonOption, ModelArgument, announce, echo, echo_json
from digitlens.errors import MissingExtraError

if TYPE_CHECKING:
    from digitlens.explain import Explanation


DEFAULT_FOLDER = Path("runs/explain")


def explain(
    model: ModelArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A picture of one digit, of any size.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the pictures go; else runs/explain/FILE-<n>."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw how a model comes to its answer for one picture.

    From the framing to the pixels as numbers, the unrolled ribbon, the first filters, what
    each layer makes of the digit, the pixels that mattered and the ten probabilities, as PNGs
    in a new folder. overview.png shows all."""
    from digitlens.explain import explain as explain_picture
    from digitlens.imaging import frame_steps
    from digitlens.models.inference import load_model

    loaded = load_model(model)
    result = explain_picture(loaded, frame_steps(file))
    pictures = _draw(result, file.name)
    folder = _save(pictures, out, file.stem) if pictures else None
    if as_json:
        where = None if folder is None else str(folder)
        echo_json(result.as_dict() | {"file": str(file), "pictures": where})
    else:
        echo(summary(result, file))
    if result.without_gradients:
        announce(result.without_gradients)
    if folder is not None:
        announce(f"pictures: {folder}, {len(pictures)} of them; begin with overview.png")


def summary(result: Explanation, file: Path) -> str:
    """Return an explanation in a few lines: the answer, what it hangs on, the steps."""
    lines = [f"{file}: {result.answer}", result.mattered]
    if result.shown:
        lines.append(f"the layers below are those of {result.shown}")
    if result.steps:
        width = max(len(step.name) for step in result.steps)
        lines += ["", "how the picture was framed"]
        lines += [f"  {step.name:{width}}  {step.about}" for step in result.steps]
    width = max(len(item.layer.name) for item in result.maps)
    lines += ["", "what the layers make of it"]
    lines += [
        f"  {item.layer.name:{width}}  {item.about}: {item.layer.about}" for item in result.maps
    ]
    return "\n".join(lines)


def _draw(result: Explanation, title: str) -> dict[str, bytes]:
    try:
        from digitlens.viz.plot_explanation import pictures
    except MissingExtraError as error:
        announce(f"without pictures: {error.wanted}; {error.try_} brings it")
        return {}
    return pictures(result, title)


def _save(pictures: dict[str, bytes], out: Path | None, stem: str) -> Path:
    from digitlens.runs import claim_run_folder
    from digitlens.storage import write_bytes

    folder = claim_run_folder(stem, out, runs=DEFAULT_FOLDER)
    for name, content in pictures.items():
        write_bytes(folder / name, content)
    return folder
