"""The paper under the ink, what is printed on it, and the light that falls on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.writing.textures import EVEN, creases, cut, fadings, guilloches, lights, papers

if TYPE_CHECKING:
    from digitlens.writing.dice import Dice
    from digitlens.writing.style import Style
    from digitlens.writing.written import Grey


@dataclass(frozen=True)
class Page:
    """Paper before anything is written on it.

    Parameters
    ----------
    paper
        uint8 (H, W), 255 = white; printed on in place.
    level
        Its mean grey.
    contrast
        How much darker full ink is, in grey levels.
    """

    paper: Grey
    level: float
    contrast: float


def draw_page(dice: Dice, style: Style, shape: tuple[int, int]) -> Page:
    """Draw bare paper of `shape`: white, tinted, textured, or with a cheque's fine curves."""
    low, high = style.contrast
    contrast = low + (high - low) * dice.even() ** 0.7
    darkest = min(max(130.0, contrast + 15), 255.0)
    level = darkest + (255 - darkest) * max(dice.even(), dice.even())
    if not dice.hit(style.textures):
        return Page(np.full(shape, int(level), np.uint8), level, contrast)
    printed = dice.hit(style.guilloche)
    texture = cut(dice, guilloches() if printed else papers(), shape)
    # A print of fine curves is much paler than ink; grain is hardly to be seen at all.
    share = dice.even(0.03, 0.2) if printed else dice.even(0.01, 0.1)
    strength = share * contrast / 24
    level = min(level, 250 - 24 * strength)
    paper = cv2.convertScaleAbs(texture, alpha=strength, beta=level - EVEN * strength)
    return Page(np.asarray(paper, np.uint8), level, contrast)


def put_ink(dice: Dice, style: Style, page: Page, ink: Grey) -> Grey:
    """Lay ink on paper: the more of it, the nearer a pixel comes to the ink's own grey.

    Parameters
    ----------
    ink
        uint8 (H, W), 0 = none, 255 = full.
    """
    dark = max(0.0, page.level - page.contrast)
    strength = 1.0
    if dice.hit(style.fading):
        left = cut(dice, fadings(), ink.shape)
        ink = np.asarray(cv2.multiply(ink, left, scale=1 / 255), np.uint8)
        strength = dice.even(0.65, 1.0)
    room = cv2.subtract(page.paper, np.full_like(page.paper, int(dark)))
    return np.asarray(
        cv2.subtract(page.paper, cv2.multiply(ink, room, scale=strength / 255)), np.uint8
    )


def light(dice: Dice, style: Style, picture: Grey) -> Grey:
    """Let light fall unevenly, and crumple the paper."""
    if dice.hit(style.shading):
        depth = dice.even(0.1, 0.6)
        # Between full light and the field, by its depth, in one multiplication.
        field = cv2.convertScaleAbs(
            cut(dice, lights(), picture.shape), alpha=depth, beta=255 * (1 - depth)
        )
        picture = np.asarray(cv2.multiply(picture, field, scale=1 / 255), np.uint8)
    if dice.hit(style.creases):
        fold = cut(dice, creases(), picture.shape)
        amount = dice.even(0.1, 0.5)
        folded = cv2.addWeighted(picture, 1.0, fold, amount, -EVEN * amount)
        picture = np.asarray(folded, np.uint8)
    return picture
