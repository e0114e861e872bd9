"""Mail measured: sample mail, real lines and envelopes, simulations.

============  ==========================================================================
`whole`       sample mail made, and sorted by the commands that a user types
`alone`       ZIPs cut out of sample mail, and cheque amounts, beside RapidOCR
`envelopes`   the real envelopes, through what `digitlens route` does with a picture
`simulated`   real mistakes on the ZIPs of the country, with more and more known
`table`       figures as Markdown
`parts`       kept from run to run
============  ==========================================================================
"""
