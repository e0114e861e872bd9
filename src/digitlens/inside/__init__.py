"""A model looked into: its layers, their weights, and what each makes of a digit.

It needs neither torch nor onnx: an ONNX file is read here, byte by byte, and run by ONNX
Runtime with the layers' values as its outputs.

===========  =================================================================
`wire`       protobuf's wire format, as far as it is needed
`tensors`    ONNX tensors -> numpy arrays
`graph`      an ONNX file -> nodes and constants; the same file with other outputs
`layers`     nodes -> the layers that a person would name
`look`       `look_inside`: a model -> its layers and their values
===========  =================================================================
"""

from __future__ import annotations

from digitlens.inside.graph import Graph, Node
from digitlens.inside.layers import Layer
from digitlens.inside.look import Inside, look_inside

__all__ = ["Graph", "Inside", "Layer", "Node", "look_inside"]
