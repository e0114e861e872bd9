"""digitlens: from pixels to a trained network to an honest figure.

The names below are loaded when they are first used, so that ``import digitlens`` costs
next to nothing and reading digits never pays for training them.

Examples
--------
>>> import digitlens as dl
>>> dl.Digits.__name__
'Digits'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlens.api import compare, evaluate, list_models, predict, show
    from digitlens.data import load_digits
    from digitlens.data.features import one_hot, rescale, unroll
    from digitlens.digits import Digits
    from digitlens.errors import DigitlensError
    from digitlens.imaging import frame_digit
    from digitlens.mail import route
    from digitlens.metrics.diagnosis import diagnose
    from digitlens.models.inference import Model, load_model
    from digitlens.ocr import Reader
    from digitlens.ocr.pages import read
    from digitlens.training import train
    from digitlens.training.classifier import DigitClassifier

__all__ = [
    "DigitClassifier",
    "DigitlensError",
    "Digits",
    "Model",
    "Reader",
    "compare",
    "diagnose",
    "evaluate",
    "frame_digit",
    "list_models",
    "load_digits",
    "load_model",
    "one_hot",
    "predict",
    "read",
    "rescale",
    "route",
    "show",
    "train",
    "unroll",
]

_HOMES = {
    "DigitClassifier": "training.classifier",
    "DigitlensError": "errors",
    "Digits": "digits",
    "Model": "models.inference",
    "Reader": "ocr",
    "compare": "api",
    "diagnose": "metrics.diagnosis",
    "evaluate": "api",
    "frame_digit": "imaging",
    "list_models": "api",
    "load_digits": "data",
    "load_model": "models.inference",
    "one_hot": "data.features",
    "predict": "api",
    "read": "ocr.pages",
    "rescale": "data.features",
    "route": "mail",
    "show": "api",
    "train": "training",
    "unroll": "data.features",
}


def __getattr__(name: str) -> Any:
    """Load a public name, or the version, when it is asked for (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("digitlens")
    if name not in _HOMES:
        raise AttributeError(f"module 'digitlens' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"digitlens.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
