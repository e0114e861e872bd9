"""What was asked for of a line reader: from the call, or from a run that was cut off."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from digitlens.errors import UsageError
from digitlens.networks.line_recipe import LineRecipe, line_recipe_of
from digitlens.run.wish import begun, data_config, told_by_config

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data import Data


@dataclass(frozen=True)
class LineWish:
    """A training run as it was asked for; `resume` names the folder to go on in."""

    network: str
    seed: int
    steps: int | None
    recipe: LineRecipe | None
    source: str
    validation: float
    out: Path | None
    writers: int | None = None
    resume: Path | None = None

    def resolved(self) -> LineRecipe:
        """Return the recipe that the wish comes to."""
        recipe = self.recipe or line_recipe_of(self.network)
        return recipe if self.steps is None else recipe.fitted(self.steps)


def resumed(wish: LineWish) -> LineWish:
    """Return `wish` with all that the cut-off run in its folder says.

    Raises
    ------
    RunError
        There is no such run, it is finished, or it is not one of this network.
    UsageError
        Another number of steps than it was begun with.
    """
    folder, config = begun(wish.network, wish.out)
    with told_by_config(folder):
        written: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in config["recipe"].items()
        }
        recipe = LineRecipe(**written)
        found = replace(
            wish,
            seed=config["run"]["seed"],
            steps=None,
            recipe=recipe,
            source=config["data"]["source"],
            validation=config["data"]["validation"],
            resume=folder,
        )
    if wish.steps not in (None, recipe.steps):
        raise UsageError(
            "a run goes on with the steps it was begun with: they shape its learning rate",
            seen=f"--steps {wish.steps}, begun with {recipe.steps}",
            try_="--resume without --steps",
        )
    return found


def config_of(
    wish: LineWish, recipe: LineRecipe, data: Data, *, about: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of config.toml, all resolved; `about` adds machine and versions."""
    return {
        "run": {"network": wish.network, "seed": wish.seed},
        "recipe": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(recipe).items()
        },
        "data": data_config(data, wish.validation),
        **about,
    }
