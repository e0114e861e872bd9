"""The lab: an HTTP service and the web page that it serves.

Read in this order: `app` (the FastAPI application and what it is made of), `middleware` (what
every request passes), `routes` (the addresses), `uploads` (request body -> pictures) and
`batching` (requests that arrive together are answered in one call of the network).
`state` holds all that a running lab shares; `schemas` is the shape of every body, in and out.

Only this package imports fastapi. docs/api.md describes every address.
"""

from __future__ import annotations
