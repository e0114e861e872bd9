"""digitlens mail barcode: digits to bars, and bars to digits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.cli.output import give, tell
from digitlens.errors import UsageError

IN_HOUSE = "0" * 20


def barcode(
    text: Annotated[
        str,
        typer.Argument(
            metavar="ZIP|BARS",
            help="A ZIP of 5, 9 or 11 digits; or bars (T A D F, or | and .) to decode.",
        ),
    ],
    tracking: Annotated[
        str,
        typer.Option(metavar="DIGITS", help="20 digits: who sent what; zeros are no one."),
    ] = IN_HOUSE,
    postnet: Annotated[
        bool, typer.Option("--postnet", help="The older barcode, of the ZIP alone.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it as .svg or .png, in the specified sizes."),
    ] = None,
    dots: Annotated[int, typer.Option(metavar="N", help="Dots per inch of a .png.")] = 600,
) -> None:
    """Make a ZIP's Intelligent Mail barcode, or decode one's bars.

    Bars are letters: T short, A up, D down, F full. A damaged barcode is refused.
    """
    if text and set(text.upper()) <= set("TADF|. "):
        _decode(text)
        return
    from digitlens.mail.barcodes import (
        IntelligentMail,
        encode_imb,
        encode_postnet,
        png,
        svg,
    )

    digits = text.replace("-", "")
    bars = encode_postnet(digits) if postnet else encode_imb(IntelligentMail(tracking, digits))
    if out is not None:
        from digitlens.atomic import write_bytes

        kind = out.suffix.lower()
        if kind not in (".svg", ".png"):
            raise UsageError("a barcode is drawn as .svg or .png", seen=out.name)
        write_bytes(out, svg(bars).encode() if kind == ".svg" else png(bars, dots=dots))
        tell(f"written: {out}")
    give(bars)


def _decode(bars: str) -> None:
    from digitlens.mail.barcodes import decode_imb, decode_postnet

    if set(bars) & set("|."):
        give(decode_postnet(bars))
        return
    found = decode_imb(bars)
    for name, value in (
        ("routing", found.routing or "none"),
        ("identifier", found.identifier),
        ("service", found.service),
        ("mailer", found.mailer),
        ("serial", found.serial),
    ):
        give(f"{name:<11}{value}")
