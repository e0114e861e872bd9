"""How a model stands up to worse pictures: accuracy against strength, family by family.

Shifted, turned, smaller, thicker, thinner, blurred, foggy, noisy, partly inverted, partly
covered: each family of changes goes in steps from none to hard, and misses are counted at
each step, for the network alone and for pictures that `digitlens.ink` has framed first.

==============  ==============================================================
`place`         shift, turn, scale
`strokes`       thicken, thin, blur
`light`         fog, noise, invert, occlude
`families`      the ten families and their strengths
`result`        misses by family and strength, as text and as JSON
`measure`       a model put through all of them
==============  ==============================================================
"""

from __future__ import annotations

from digitlens.stress.families import FAMILIES, Family
from digitlens.stress.measure import count_framed, evenly, stress
from digitlens.stress.result import StressResult, Tested

__all__ = ["FAMILIES", "Family", "StressResult", "Tested", "count_framed", "evenly", "stress"]
