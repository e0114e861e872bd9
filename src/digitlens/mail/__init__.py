"""Mail: from a picture of an envelope to the right tray.

In reading order:

==============  ==============================================================
`directory`     a ZIP code as text; the states; which ZIPs are in use, and where
`candidates`    `read_mail`: which lines of an envelope may be the receiver's ZIP
`posterior`     how likely each ZIP is, given reading, directory and address
`decision`      `route`, `decide`: a ZIP that is accepted, or a reason to ask a person
`thresholds`    how likely an accepted ZIP must be
`measure`       measuring those thresholds for a reader
`plan`          which ZIP goes to which tray; `plan_files` reads and writes plans
`sorting`       `sort_folder`: pictures into trays; the review queue
`barcodes`      Intelligent Mail barcode and POSTNET; `barcode_images` draws them,
                `barcode_search` finds and decodes them in pictures
`sample`        made-up envelopes to try all of it on
==============  ==============================================================

docs/mail.md explains the whole.
"""

from __future__ import annotations

from digitlens.mail.decision import route

__all__ = ["route"]
