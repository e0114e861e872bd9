"""What goes in: the bodies of requests, checked before anything is done.

docs/api.md tells the same in words.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Rows = list[list[int]]
Number = Annotated[float, Field(ge=-1e9, le=1e9)]


class Strict(BaseModel):
    """A request's body: nothing unknown in it, and no number that is none."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Pictures(BaseModel):
    """Pictures as JSON: each a picture file in base64, or rows of grey values 0..255."""

    pictures: list[str | Rows]


class KernelEdit(Strict):
    """A kernel edited by hand, for one layer of one network and one picture."""

    picture: str | Rows
    network: str = "cnn"
    layer: int = Field(1, ge=1, le=1000)
    member: int = Field(0, ge=0, le=100)
    frame: bool = True
    channel: int | None = Field(None, ge=0, le=100_000)
    kernel: list[list[list[Number]]] = Field(min_length=1, max_length=4096)
    bias: Number = 0.0
    stride: int | None = Field(None, ge=1, le=28)
    padding: int | None = Field(None, ge=0, le=28)
    bend: bool = True


class TrainWish(Strict):
    """What to train."""

    network: str = "quick"
    data: str = "mnist"
    epochs: int | None = Field(None, ge=1, le=1000)
    share: float | None = Field(None, gt=0, le=1)
    seed: int = Field(0, ge=0, lt=2**31)
    start: str | None = Field(None, alias="from")


class OwnDigit(Strict):
    """A digit to keep: a picture, and which digit it shows."""

    picture: str | Rows
    label: int = Field(ge=0, le=9, strict=True)
    box: Annotated[list[float], Field(min_length=4, max_length=4)] | None = None


class OwnDigits(Strict):
    """Digits to keep."""

    digits: list[OwnDigit] = Field(min_length=1, max_length=256)
    frame: bool = True
