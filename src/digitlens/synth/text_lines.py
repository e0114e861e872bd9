"""Lines of text with numbers in them, and what each pixel of their ink belongs to.

What the network learns from that tells digits from letters and marks (`digitlens.ocr.signs`).
A line is a row of words, numbers, dates, amounts and marks; it is written glyph by glyph with
a font or with digits by hand, bent, thickened or thinned, and framed as `digitlens.layout`
cuts lines out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.digits import Digits, Indices
from digitlens.geometry import Gray
from digitlens.synth.fonts import STROKE_FONTS, draw_text
from digitlens.synth.glyphs import Glyphs, prepare_glyphs
from digitlens.synth.random import Random

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Hand: TypeAlias = list[Indices]  # a writer's digits by class; empty for those of anybody

# What ink may belong to; in label maps 1 to 5, 0 where there is none.
SIGNS = ("digit", "letter", "separator", "point", "mark")

DIGIT, LETTER, SEPARATOR, POINT, MARK = range(1, 6)

NO_DIGIT = 6  # in label maps: any of the last four

SEPARATORS, POINTS = "/-\u2013\u2014:|\\~", ".,'\u2019\u00b7"

FONT_SIZE = 44  # in which glyphs are drawn, in pixels

# Share of the lines that stand on their heads, as a page is read where it may do so.
TURNED_SHARE = 0.1

STROKE_SHARE = 0.06  # share of the lines in OpenCV's stroke fonts

_TEXT = (
    "the of and to in is for that with on as are this be at or from your not have new all "
    "we will can more if has page total date name address city street please sign invoice "
    "amount phone office room floor order number signature bill hall Mr Mrs Dr Ms Inc Ltd "
    "Co PO Box CA NY TX FL IL OH WA Blvd Ave St Rd Apt Suite Oak Main Los Angeles Boston "
    "Chicago Seattle Iowa und der die das nicht mit sich auf für ist im dem ein eine "
    "Straße Platz Weg Herr Frau Rechnung Betrag Datum Konto Bank Köln München Düsseldorf "
    "Österreich Groß Übung über Öl Zoll Stück le la les des une est pour dans qui par sur "
    "avec rue place avenue ville nom prénom adresse montant février été où garçon Zoé "
    "Gilles Lille Dijon Besançon cedex à côté élève el los las del por para con una calle "
    "plaza señor señora fecha importe año niño Bogotá il lo gli che della con via piazza "
    "signore data importo città perché più Bologna Zoppi het een van voor met zijn straat "
    "plein gracht bedrag datum Zuid Gouda Delft IJssel och att det som på är av gatan "
    "kronor Malmö Åsa Göteborg rua praça não são João bolig zloty solo oslo silo bis sig "
    "log zig OBI SOS BIBLIO OSLO ZOO GIGI LILLI SOLID ISBN kg km cm mm EUR USD GBP CHF kr "
    "pcs Stk qty No Nr Tel Fax Zip code ID Ref VAT BIC Yes No Oui Attn To From Dear Sir "
    "Sincerely Yours Amount Due Balance Paid Cash Receipt Thank you again January "
    "February March April May June July August September October November December Montag "
    "Dienstag lunes martes lundi mardi Sunday Monday Friday one two three five seven I a "
    "A O o l i S s Z z B b g q e x X P D T J j y Q G "
)
# Words and letters that stand alone; many of letters that look like digits.
WORDS = _TEXT.split()

# Forms of numbers; # stands for a digit.
NUMBERS = (
    *("#", "##", "###", "####", "#####", "######", "#######", "########", "#########"),
    *("#.##", "##.##", "###,##", "#,###.##", "#.###,##", "##,###", "#'###.##", "###.###"),
    *("#/#", "##/##/####", "##/##", "##-##-####", "##.##.####", "###-####", "### -####"),
    *("#/#/##", "##/##/##", "####/##", "#/##", "##/#", "#-#", "##-##", "###/###", "# / #"),
    *("####-###", "(###) ###-####", "+## ## ######", "#####-####", "$###", "$#,###.##", "$ ##"),
    *("€ ##,##", "##,## €", "£###", "##%", "#:##", "##:##", "##:##:##", "# - #", "## x ##"),
    *("###.-", "###.--", "**###**", "[##]", "(#)", "#)", "#.", "#th", "##kg", "##A", "A-##"),
    *("#°", "# #", "## ##", "### ###", "## ## ##", "#####   ####", "###;", "###!", "=##"),
)  # fmt: skip

_SIGNS = "$ € £ % & ( ) [ ] { } + = * # @ ! ? / - \u2013 \u2014 | _ . , : ; // -- ... < >"
SIGN_TEXTS = _SIGNS.split()


@dataclass(frozen=True)
class _Glyph:
    ink: Gray
    left: int
    top: int
    advance: float


@lru_cache(maxsize=400)
def _open(path: Path) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), FONT_SIZE)


@lru_cache(maxsize=60_000)
def _glyph(path: Path | int, text: str) -> _Glyph:
    """Draw a character; a font that lacks it shows nothing."""
    if isinstance(path, int):
        return _stroke_glyph(path, text)
    font = _open(path)
    left, top, _, _ = font.getbbox(text, anchor="ls")
    advance = float(font.getlength(text))
    ink = draw_text(font, text)
    if ink.size and not text.isascii() and np.array_equal(ink, _lacking(path)):
        return _Glyph(np.zeros((0, 0), np.uint8), 0, 0, 0.0)
    return _Glyph(ink, int(left), int(top), advance)


def _stroke_glyph(face: int, text: str) -> _Glyph:
    """Draw a character in one of OpenCV's stroke fonts."""
    if not text.isascii():
        return _Glyph(np.zeros((0, 0), np.uint8), 0, 0, 0.0)
    scale, thick, edge = FONT_SIZE / 30, 3, 12
    (width, height), below = cv2.getTextSize(text, face, scale, thick)
    canvas = np.zeros((height + below + 2 * edge, width + 2 * edge), np.uint8)
    place = edge, height + edge
    cv2.putText(canvas, text, place, face, scale, 255, thick, cv2.LINE_AA)
    return _Glyph(canvas, -edge, -height - edge, float(width - thick))


@lru_cache(maxsize=400)
def _lacking(path: Path) -> Gray:
    """Return what a font shows for a character that it lacks."""
    return draw_text(_open(path), "\uffff")


def sign_of(char: str) -> int:
    """Return what a character is: 1 .. 5 for the `SIGNS`."""
    if char.isdigit() and char.isascii():
        return DIGIT
    if char.isalpha():
        return LETTER
    return SEPARATOR if char in SEPARATORS else POINT if char in POINTS else MARK


class TextLineWriter:
    """Writes lines with font files, or OpenCV's stroke fonts, and with digits by hand."""

    def __init__(self, fonts: Sequence[Path | int], digits: Digits | Glyphs) -> None:
        self.fonts, self.glyphs = fonts, prepare_glyphs(digits)

    def sample(self, rng: Random) -> tuple[Gray, Gray]:
        """Write a line, bend it, and frame it.

        Returns its picture, uint8 (h, w), mostly dark on light, and its signs, uint8 (h, w).
        """
        canvas = _Canvas()
        self._write(rng, canvas)
        ink, signs = canvas.cut()
        if rng.bernoulli(TURNED_SHARE):
            # On its head a letter is no digit; what a digit is then is not said.
            ink = np.ascontiguousarray(ink[::-1, ::-1])
            signs = np.where(signs == DIGIT, 0, signs)[::-1, ::-1].astype(np.uint8)
        ink, signs = _deform(rng, ink, signs)
        ink, signs = _frame(rng, ink, signs)
        return _expose(rng, ink), signs

    def _write(self, rng: Random, canvas: _Canvas) -> None:
        """Lay tokens side by side: words, numbers or both."""
        kind = rng.uniform()
        font, other = rng.choice(self.fonts), rng.choice(self.fonts)
        if rng.bernoulli(STROKE_SHARE):
            font = rng.choice(STROKE_FONTS)
        # Digits by hand beside words in a font; mostly those of one writer.
        hand: Hand | None = [] if rng.bernoulli(0.45) else None
        if hand is not None and self.glyphs.writers and rng.bernoulli(0.8):
            hand = rng.choice(self.glyphs.writers)
        count = 1 + rng.integers(5)
        share = 0.0 if kind < 0.22 else 1.0 if kind < 0.4 else rng.uniform(0.2, 0.6)
        style = rng.integers(4)
        for index in range(count):
            if index:
                canvas.move(FONT_SIZE * rng.uniform(0.12, 0.4))
            if rng.bernoulli(share):
                text = "".join(
                    str(rng.integers(10)) if char == "#" else char
                    for char in rng.choice(NUMBERS)
                )
                if rng.bernoulli(0.12):
                    text = text.replace(text[-1], "1" if rng.bernoulli(0.5) else "0")
            elif rng.bernoulli(0.08):
                text = rng.choice(SIGN_TEXTS)
            else:
                text = rng.choice(WORDS)
                text = text.upper() if style == 0 else text.title() if style == 1 else text
                text += rng.choice((",", ".", ":")) if rng.bernoulli(0.15) else ""
            if rng.bernoulli(0.04):
                _draw_mark(rng, canvas)
            path = other if hand is None and rng.bernoulli(0.1) else font
            self._token(rng, canvas, text, path, hand)

    def _token(
        self, rng: Random, canvas: _Canvas, text: str, path: Path | int, hand: Hand | None
    ) -> None:
        tight = rng.normal(0.0, 0.03) * FONT_SIZE
        digit_height = 0.72 * FONT_SIZE * rng.uniform(0.85, 1.5)
        for char in text:
            sign = sign_of(char)
            if char == " ":
                canvas.move(FONT_SIZE * rng.uniform(0.15, 0.4))
            elif sign == DIGIT and hand is not None:
                self._by_hand(rng, canvas, char, digit_height, hand)
            elif sign in (SEPARATOR, POINT, MARK) and hand is not None and rng.bernoulli(0.5):
                _stroke_sign(rng, canvas, char, sign, digit_height)
            else:
                glyph = _glyph(path, char)
                if glyph.ink.size:
                    canvas.put(glyph.ink, glyph.left, glyph.top, sign)
                canvas.move(glyph.advance + tight)

    def _by_hand(
        self, rng: Random, canvas: _Canvas, char: str, height: float, hand: Hand
    ) -> None:
        glyph = self.glyphs.images[self.glyphs.choose(rng, int(char), hand or None)]
        x, y, w, h = cv2.boundingRect(np.asarray(glyph > 60, np.uint8))
        part = glyph[y : y + h, x : x + w]
        scale = height * rng.uniform(0.88, 1.12) / max(h, 0.6 * w)
        size = max(3, round(w * scale)), max(3, round(h * scale))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        gain = rng.uniform(1.0, 2.2)
        part = np.clip((part.astype(np.float32) - 110) * gain + 110, 0, 255).astype(np.uint8)
        canvas.put(part, 0, -size[1] + round(rng.normal(0, 0.05) * height), DIGIT)
        canvas.move(size[0] + height * rng.uniform(-0.03, 0.25))


class _Canvas:
    """Ink and signs while a line is written; it grows to the right."""

    BASE, ROWS, COLUMNS = 110, 180, 2600

    def __init__(self) -> None:
        self.ink = np.zeros((self.ROWS, self.COLUMNS), np.uint8)
        self.signs = np.zeros((self.ROWS, self.COLUMNS), np.uint8)
        self.x = 60.0

    def move(self, step: float) -> None:
        self.x = min(self.x + max(step, 1.0), self.COLUMNS - 300.0)

    def put(self, patch: Gray, left: int, top: int, sign: int) -> None:
        """Lay ink at the pen's place; `top` counts from the line the writing stands on."""
        self._lay(patch, max(0, round(self.x) + left), max(0, self.BASE + top), sign)

    def _lay(self, patch: Gray, x: int, y: int, sign: int) -> None:
        here = self.ink[y : y + patch.shape[0], x : x + patch.shape[1]]
        patch = patch[: here.shape[0], : here.shape[1]]
        marked = self.signs[y : y + patch.shape[0], x : x + patch.shape[1]]
        marked[(patch > 70) & (patch >= here)] = sign
        np.maximum(here, patch, out=here)

    def stroke(self, points: Sequence[tuple[float, float]], width: float, sign: int) -> None:
        """Draw a line through (columns right of the pen, rows below the writing's line)."""
        spots = np.array([(self.x + x, self.BASE + y) for x, y in points])
        pen = max(1, round(width))
        left, top = np.maximum(np.floor(spots.min(axis=0)).astype(int) - pen, 0)
        right, bottom = np.ceil(spots.max(axis=0)).astype(int) + pen + 1
        mask = np.zeros((max(1, bottom - top), max(1, right - left)), np.uint8)
        shape = np.rint((spots - (left, top)) * 16).astype(np.int32)
        cv2.polylines(mask, [shape], False, 255, pen, cv2.LINE_AA, 4)
        self._lay(mask, int(left), int(top), sign)

    def cut(self) -> tuple[Gray, Gray]:
        """Return ink and signs around what was written."""
        left, top, width, height = cv2.boundingRect(np.asarray(self.ink > 60, np.uint8))
        part = (
            slice(max(0, top - 2), top + max(height, 8) + 2),
            slice(max(0, left - 2), left + max(width, 8) + 2),
        )
        return np.ascontiguousarray(self.ink[part]), np.ascontiguousarray(self.signs[part])


def _stroke_sign(rng: Random, canvas: _Canvas, char: str, sign: int, height: float) -> None:
    """Draw a slash, dash, point or bracket as a pen does."""
    width = height * rng.uniform(0.05, 0.14)
    canvas.move(height * rng.uniform(0.0, 0.2))
    if char in "/\\|":
        lean = rng.uniform(0.0, 0.8) * height
        low, high = rng.uniform(-0.1, 0.25) * height, -rng.uniform(0.95, 1.3) * height
        canvas.stroke([(0.0, low), (lean, high)], width, sign)
        canvas.move(lean + height * rng.uniform(-0.2, 0.25))
    elif char in "-\u2013\u2014~=":
        long, up = rng.uniform(0.2, 0.8) * height, -rng.uniform(0.3, 0.6) * height
        for row in (0.0, 0.22) if char == "=" else (0.0,):
            drop = rng.normal(0, 0.06) * height
            canvas.stroke(
                [(0.0, up + row * height), (long, up + row * height + drop)], width, sign
            )
        canvas.move(long + height * rng.uniform(0.05, 0.3))
    elif sign == POINT or char == ":":
        for up in (0.0, 0.5) if char == ":" else (0.0,):
            tail = (-0.08, 0.18) if char in ",'\u2019" else (0.03, 0.02)
            end = tail[0] * height, (tail[1] - up) * height
            canvas.stroke([(0.0, -up * height), end], 1.5 * width, sign)
        canvas.move(height * rng.uniform(0.08, 0.25))
    elif char in "()[]":
        bow = 0.18 * height * (-1 if char in "([" else 1)
        ways = [(0.0, 0.1 * height), (bow, -0.5 * height), (0.0, -1.1 * height)]
        canvas.stroke(ways, width, sign)
        canvas.move(height * rng.uniform(0.15, 0.3))
    else:
        _draw_mark(rng, canvas)


def _draw_mark(rng: Random, canvas: _Canvas) -> None:
    """Draw what is neither letter nor digit: rules, ticks, boxes, bars, blots, scrawls."""
    height = 0.8 * FONT_SIZE
    width = height * rng.uniform(0.04, 0.16)
    kind = rng.integers(8)
    if kind == 0:  # a crooked rule
        way = [(40.0 * i, -0.5 * height + rng.normal(0, 4)) for i in range(2 + rng.integers(5))]
        canvas.stroke(way, width, MARK)
        canvas.move(way[-1][0])
    elif kind == 1:  # an upright one, much like a 1
        lean, high = rng.normal(0, 5), height * rng.uniform(1.8, 3.0)
        canvas.stroke(
            [(0, 0.4 * high), (rng.normal(0, 3), 0.0), (lean, -0.6 * high)], width, MARK
        )
    elif kind == 2:  # a box, ticked or not
        side = height * rng.uniform(0.6, 1.0)
        ring = [(0.0, 0.0), (side, 0.0), (side, -side), (0.0, -side), (0.0, 0.0)]
        canvas.stroke(ring, width, MARK)
        if rng.bernoulli(0.5):
            canvas.stroke([(3, -side + 4), (side - 3, -4)], width, MARK)
            canvas.stroke([(side - 3, -side + 3), (3, -3)], width, MARK)
        canvas.move(side)
    elif kind == 3:  # a tick or a cross
        size = height * rng.uniform(0.5, 1.1)
        canvas.stroke([(0, -0.4 * size), (0.35 * size, 0), (size, -size)], width, MARK)
        canvas.move(size)
    elif kind == 4:  # bars
        for _ in range(5 + rng.integers(20)):
            bar = max(1, round(rng.uniform(0.04, 0.2) * height))
            tall = round(height * (rng.uniform(0.4, 1.0) if rng.bernoulli(0.4) else 1.0))
            canvas.put(np.full((tall, bar), 255, np.uint8), 0, -tall, MARK)
            canvas.move(bar + rng.uniform(0.06, 0.25) * height)
    elif kind == 5:  # a scrawl
        way = [(0.0, -0.5 * height)]
        for _ in range(5 + rng.integers(9)):
            way.append((way[-1][0] + rng.uniform(-6, 18), rng.normal(-0.5, 0.35) * height))
        smooth = cv2.GaussianBlur(np.repeat(np.array(way), 6, axis=0), (1, 11), 0)
        canvas.stroke([(x, y) for x, y in smooth.tolist()], width, MARK)
        canvas.move(max(x for x, _ in way))
    elif kind == 6:  # a solid sign
        count, size = 3 + rng.integers(5), 0.5 * height
        turns = sorted(rng.uniform(0, 6.28) for _ in range(count))
        points = np.array([(np.cos(t) * size + size, np.sin(t) * size + size) for t in turns])
        patch = np.zeros((round(2 * size) + 1,) * 2, np.uint8)
        cv2.fillPoly(patch, [points.astype(np.int32)], 255, cv2.LINE_AA)
        canvas.put(patch, 0, -patch.shape[0], MARK)
        canvas.move(2 * size)
    else:  # rings and arcs
        size = height * rng.uniform(0.7, 1.3)
        start, end = rng.uniform(0, 6.3), rng.uniform(2.0, 6.3)
        arc = np.linspace(start, start + end, 24)
        ways = np.column_stack([np.cos(arc) * size + size, np.sin(arc) * size - 0.5 * size])
        canvas.stroke([(x, y) for x, y in ways.tolist()], width, MARK)
        canvas.move(2 * size)
    canvas.move(FONT_SIZE * rng.uniform(0.1, 0.3))


def _deform(rng: Random, ink: Gray, signs: Gray) -> tuple[Gray, Gray]:
    """Slant, stretch and shake a line, and change its pen."""
    height, width = ink.shape
    slant, stretch = rng.normal(0.0, 0.14), np.exp(rng.normal(0.0, 0.14))
    slope = rng.normal(0.0, 0.012)
    room = int(abs(slant) * height + abs(slope) * width) + 8
    size = round(width * stretch) + 2 * room, height + 2 * room
    across, down = np.meshgrid(
        np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)
    )
    y = down - room - slope * (across - size[0] / 2)
    x = (across - room) / np.float32(stretch) + slant * (y - height / 2)
    if rng.bernoulli(0.6):
        swing, period = rng.uniform(0, 2.2), rng.uniform(14, 60)
        y += swing * np.sin(across / period + rng.uniform(0, 6))
        x += rng.uniform(0, 1.8) * np.sin(down / rng.uniform(8, 30) + rng.uniform(0, 6))
    x, y = x.astype(np.float32), y.astype(np.float32)
    ink = np.asarray(cv2.remap(ink, x, y, cv2.INTER_LINEAR), np.uint8)
    signs = np.asarray(cv2.remap(signs, x, y, cv2.INTER_NEAREST), np.uint8)
    if rng.bernoulli(0.45):
        nib = cv2.getStructuringElement(
            cv2.MORPH_ELLIPSE, (3, 3) if rng.bernoulli(0.7) else (5, 5)
        )
        if rng.bernoulli(0.65):
            grown = np.asarray(cv2.dilate(ink, nib), np.uint8)
            near = cv2.dilate(signs, nib)
            signs = np.where(signs == 0, np.where(grown > 70, near, 0), signs).astype(np.uint8)
            ink = grown
        else:
            thin = np.asarray(cv2.erode(ink, np.ones((2, 2), np.uint8)), np.uint8)
            if int(thin.max(initial=0)) > 127:
                ink = thin
    return ink, signs


def _frame(rng: Random, ink: Gray, signs: Gray) -> tuple[Gray, Gray]:
    """Cut a line as pages are cut, with little paper, and scale it to 24 to 60 rows."""
    left, top, width, height = cv2.boundingRect(np.asarray(ink > 60, np.uint8))
    if not width:
        return ink, signs
    edges = [round(height * rng.uniform(0.02, 0.3)) for _ in range(2)]
    upper, lower = (edges[0], edges[0]) if rng.bernoulli(0.6) else edges
    part = slice(top, top + height), slice(left, left + width)
    pad = (upper, lower), (edges[1], edges[1])
    ink, signs = np.pad(ink[part], pad), np.pad(signs[part], pad)
    scale = rng.uniform(20, 64) / ink.shape[0]
    size = max(8, round(ink.shape[1] * scale)), max(8, round(ink.shape[0] * scale))
    if rng.bernoulli(0.4):
        # A coarse scan: what is written by hand and what is printed are as soft.
        rough = rng.uniform(14, 30) / ink.shape[0]
        small = max(6, round(ink.shape[1] * rough)), max(6, round(ink.shape[0] * rough))
        ink = np.asarray(cv2.resize(ink, small, interpolation=cv2.INTER_AREA), np.uint8)
    ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
    signs = np.asarray(cv2.resize(signs, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return ink, signs


def _expose(rng: Random, ink: Gray) -> Gray:
    """Bring ink to paper: mostly clean, as crops are, else with grain and uneven light."""
    picture = np.asarray(255.0 - ink * rng.uniform(0.75, 1.0), np.float32)
    if rng.bernoulli(0.3):
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2)))
    if rng.bernoulli(0.35):
        noise = np.random.default_rng(rng.integers(1 << 30)).standard_normal(ink.shape)
        light = np.linspace(rng.uniform(0.6, 1.0), 1.0, ink.shape[1])
        shaded = picture * light * rng.uniform(0.7, 1.0) + noise * rng.uniform(1, 14)
        picture = np.asarray(shaded, np.float32)
    if rng.bernoulli(0.06):
        picture = 255.0 - picture
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
