"""The review queue of sorted mail, as the lab serves it.

========  ==========================================================
`scan`    a piece's picture as a page can show it
`desk`    `Desk`: the queue, its pictures and the directory of ZIPs
`shapes`  what goes in and comes out, for the OpenAPI document
========  ==========================================================
"""
