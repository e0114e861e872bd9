"""The lab: the HTTP service behind the page, and the page itself.

===============  ============================================================
`settings`       what a lab is started with: its folder, its caps, its patience
`refusals`       errors that only a service knows: too large, too busy, no token
`problems`       any error of ours -> problem details (RFC 9457)
`metrics`        counts and times, as Prometheus reads them
`bodies`         how much of a request's body is read, and for how long
`guard`          what every request passes: host, origin, token, caps, headers
`uploads`        a request's body -> pictures: a file, several, or JSON
`batch`          requests that arrive together are answered together
`networks`       published networks and finished runs, loaded once
`answers`        predictions -> JSON
`encode`         arrays and pictures -> JSON
`explained`      why a network answers so, as JSON
`taps`           what goes into each layer of a network, and what comes out
`cells`          one number of a feature map: its window, kernel and products
`kernels`        the map of a kernel that was edited by hand
`trainee`        the process that trains, telling how it goes line by line
`training`       one training run at a time: begun, followed, stopped
`runs`           what run folders say
`mistakes`       a network on a set of digits: its confusion matrix, its misses
`own`            drawn and corrected digits, kept as a folder of class folders
`wishes`         what goes in: the bodies of requests
`schema`         what comes out, for the OpenAPI document
`files`          the page's own files
`docs_page`      the OpenAPI document as a page that needs no network
`state`          all of the above that one running lab holds
`routes`         the addresses
`app`            the FastAPI application
`server`         uvicorn with time limits, and a graceful end
===============  ============================================================

Only this package imports fastapi. docs/api.md tells every address.
"""

from __future__ import annotations
