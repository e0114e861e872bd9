"""A model -> its layers and what they make of digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import check_images
from digitlens.errors import ModelError
from digitlens.inside.graph import Graph, read_graph, with_outputs
from digitlens.inside.layers import Layer, find_layers
from digitlens.model import INPUT
from digitlens.session import open_session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.model import Model


class Inside:
    """A model looked into; made by `look_inside`, and worth keeping: it holds engines.

    A file holds one network, or several: an ensemble, whose answers are averaged, or a
    cascade, whose second network is asked where the first is not sure. Its networks are
    numbered from 0.

    Parameters
    ----------
    content
        The bytes of the model's ONNX file.

    Raises
    ------
    ModelError
        The file cannot be read, or has no layers to look at.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self.graph: Graph = read_graph(content)
        except (ValueError, KeyError, StopIteration) as error:
            raise ModelError("a model must be an ONNX file", seen=str(error)) from error
        self._content = content
        self._engines: dict[int, Any] = {}
        self.layers: tuple[Layer, ...] = find_layers(self.graph)
        if not self.layers:
            kinds = sorted({node.kind for node in self.graph.nodes})
            raise ModelError("a model must have layers", seen=", ".join(kinds) or "no nodes")

    @property
    def members(self) -> int:
        """How many networks the file holds."""
        return 1 + max(layer.member for layer in self.layers)

    @property
    def is_cascade(self) -> bool:
        """Whether a second network answers only where the first is not sure."""
        return any(node.kind == "ScatterND" for node in self.graph.nodes)

    def layers_of(self, member: int) -> tuple[Layer, ...]:
        """Return the layers of one network."""
        return tuple(layer for layer in self.layers if layer.member == member)

    def activations(self, images: Images, *, member: int = 0) -> list[NDArray[np.float32]]:
        """Return what each layer of one network gives for `images`.

        Parameters
        ----------
        images
            uint8 (N, 28, 28); 0 = paper, 255 = ink.
        member
            Which network, below `members`.

        Returns
        -------
        For each of `layers_of(member)` float32 (N, maps, height, width), or (N, values) after
        a dense layer. The second network of a cascade is asked about fewer than N.

        Raises
        ------
        ShapeError
            Another shape or dtype.
        """
        pixels = {INPUT: check_images(images)}
        found: list[NDArray[np.float32]] = self._engine(member).run(None, pixels)
        return found

    def _engine(self, member: int) -> Any:
        if member not in self._engines:  # two at once would make it twice, and harm nothing
            names = [layer.output for layer in self.layers_of(member)]
            content = with_outputs(self._content, names)
            self._engines[member] = open_session("the network with all layers shown", content)
        return self._engines[member]


def look_inside(model: Model) -> Inside:
    """Open a model's file for a look inside.

    Parameters
    ----------
    model
        As `load_model` gives it; its file is read again.

    Raises
    ------
    ModelError
        The file has gone, or has no layers to look at.

    Examples
    --------
    >>> inside = look_inside(load_model("runs/train/cnn-1"))  # doctest: +SKIP
    >>> [layer.name for layer in inside.layers][:2]  # doctest: +SKIP
    ['layer 1, convolution', 'layer 2, convolution']
    """
    try:
        content = model.path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{model.path} cannot be read again, to look inside", seen=error.strerror
        ) from error
    return Inside(content)
