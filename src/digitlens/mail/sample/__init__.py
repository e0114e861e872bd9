"""Sample mail: envelopes that the program draws, so that everybody can try the whole way.

==========  ================================================================
`batch`     `make_sample`: a folder of envelopes and truth.csv; their digits
`envelope`  one envelope: paper, addresses, stamp, postmark, light
`address`   who writes to whom, and how it is written down with a pen
==========  ================================================================
"""

from __future__ import annotations

from digitlens.mail.sample.batch import SampleMail, draw_digits, draw_mail, make_sample
from digitlens.mail.sample.envelope import Envelope

__all__ = ["Envelope", "SampleMail", "draw_digits", "draw_mail", "make_sample"]
