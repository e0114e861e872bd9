"""Why a model answers as it does, for one picture.

=============  ===============================================================
`explanation`  `explain`: a model and a picture -> an `Explanation`
`inspection`   a model's layers, and what each of them makes of digits
`occlusion`    what the answer loses when a few pixels are turned to paper
`gradients`    integrated gradients, the only module here that needs torch
=============  ===============================================================
"""

from __future__ import annotations

from digitlens.explain.explanation import Explanation, Maps, explain

__all__ = ["Explanation", "Maps", "explain"]
