"""Barcodes of mail: digits to bars, bars to digits, bars to pictures.

===========  ================================================================
`content`    the fields of an Intelligent Mail barcode
`tables`     its characters, and which bit is which half of which bar
`imb`        `encode_imb`, `decode_imb`
`postnet`    `encode_postnet`, `decode_postnet`
`drawing`    bars as SVG and PNG, in the sizes that are allowed
===========  ================================================================
"""

from __future__ import annotations

from digitlens.mail.barcodes.imb import IntelligentMail, decode_imb, encode_imb
from digitlens.mail.barcodes.postnet import decode_postnet, encode_postnet
from digitlens.mail.barcodes.render import lay_out, pixels, png, svg

__all__ = [
    "IntelligentMail",
    "decode_imb",
    "decode_postnet",
    "encode_imb",
    "encode_postnet",
    "lay_out",
    "pixels",
    "png",
    "svg",
]
