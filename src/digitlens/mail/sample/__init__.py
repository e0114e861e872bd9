"""Sample mail: envelopes that the program draws, so that everybody can try the whole way.

==========  ================================================================
`batch`     `make_sample`: a folder of envelopes and truth.csv
`envelope`  one envelope: paper, postage, light; `addressing`: both addresses
`people`    who writes to whom
`letters`   letters as strokes of a pen
`digits`    MNIST's test digits, or drawn ones
`postage`   stamp and postmark
==========  ================================================================
"""

from __future__ import annotations

from digitlens.mail.sample.batch import Sample, draw_digits, draw_mail, make_sample
from digitlens.mail.sample.envelope import Envelope

__all__ = ["Envelope", "Sample", "draw_digits", "draw_mail", "make_sample"]
