"""Mail: from a picture of an envelope to the right tray.

===========  =================================================================
`zipcode`    a ZIP as text
`states`     the states, by letters and by name
`directory`  which ZIPs there are, and where
`deciding`   a reading, directory and place -> a ZIP, or a reason to look
`reading`    what a reader is asked of mail
`measuring`  ZIPs written and read, for bars to be measured on
`trust`      which bars belong to which reader
`plan`       which ZIP goes to which tray
`sorting`    a folder of pictures into trays, with nothing lost; the queue
`barcodes`   Intelligent Mail barcode and POSTNET
`sample`     envelopes that the program draws
`routing`    `route`, the public name
===========  =================================================================

docs/mail.md walks through all of it.
"""

from __future__ import annotations

from digitlens.mail.routing import route

__all__ = ["route"]
