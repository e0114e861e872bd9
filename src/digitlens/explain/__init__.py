"""Why a model answers as it does, for one picture.

===============  =============================================================
`explanation`    `Explanation`: all that was found, for plots, pages and JSON
`explain`        `explain`: a model and a picture -> an explanation
`occlusion`      what the answer loses when a few pixels are turned to paper
`gradients`      integrated gradients; with `torch_graph` the only users of torch
`torch_graph`    an ONNX graph, worked out by torch so that it can be derived
===============  =============================================================
"""

from __future__ import annotations

from digitlens.explain.explanation import Explanation, Maps, explain

__all__ = ["Explanation", "Maps", "explain"]
