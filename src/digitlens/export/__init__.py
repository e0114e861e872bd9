"""From a trained torch network to files that others can run, each checked for parity."""

from digitlens.export.convert import FORMATS, Exported, export_model
from digitlens.export.fold import fold
from digitlens.export.onnx_file import to_onnx

__all__ = ["FORMATS", "Exported", "export_model", "fold", "to_onnx"]
