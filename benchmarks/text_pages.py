"""Pages with words on them, composed: on these it is measured what is taken for a number.

Letters, forms and leaflets in six languages, printed and by hand, without a digit; sheets of
bar codes, rulings, logos, stamps and crooked lines; and pages on which numbers stand beside
words, with their truth. Fonts are those of families that no network of ours has seen
(`digitlens.data.font_digits: split_families`); digits by hand are MNIST's test digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.synth.fonts import draw_text
from digitlens.synth.random import Random

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

    from digitlens import Digits

    Pixels = NDArray[np.uint8]

LANGUAGES = {
    "English": "Dear Sir or Madam, thank you for your letter. We are glad to hear that the "
    "parcel has arrived in good order. Please find enclosed the invoice for the goods. "
    "The meeting will be held in the old town hall on Monday evening. I should be "
    "obliged if you would sign and return the form. Blood oranges, olive oil and soap. "
    "It is still unclear who will pay the bill. Yours sincerely, Oliver Lloyd",
    "German": "Sehr geehrte Damen und Herren, vielen Dank für Ihr Schreiben. Die Lieferung ist "
    "gestern bei uns eingetroffen. Bitte überweisen Sie den Betrag bis zum Ende des Monats. "
    "Über eine baldige Antwort würden wir uns sehr freuen. Schöne Grüße aus der Straße "
    "am alten Zollhof. Das Sägewerk bleibt geschlossen. Mit freundlichen Grüßen, Lotte Böll",
    "French": "Chère Madame, nous avons bien reçu votre lettre et nous vous en remercions. Le "
    "colis est arrivé hier à la gare de Lyon. Veuillez signer le formulaire ci-joint et le "
    "renvoyer à l'adresse indiquée. L'été dernier, il a plu sans cesse. Où est passé le "
    "garçon de café ? Veuillez agréer nos salutations distinguées, Zoé Bellegarde",
    "Spanish": "Estimado señor: le agradecemos mucho su carta. El paquete llegó ayer por la "
    "mañana en buen estado. Le rogamos que firme el recibo y lo devuelva cuanto antes. "
    "¿Dónde está la oficina de correos? El año pasado no llovió nada en Logroño. "
    "Sin otro particular, le saluda atentamente, Isabel Ibáñez Gil",
    "Italian": "Gentile Signora, la ringraziamo della sua lettera. Il pacco è arrivato ieri "
    "in buone condizioni. La preghiamo di firmare il modulo e di rispedirlo al più presto. "
    "Perché la bolletta del gas è così salata? Gli zoccoli di legno sono sul balcone. "
    "Distinti saluti dalla città di Bologna, Giulio Zappalà",
    "Dutch": "Geachte heer, hartelijk dank voor uw brief. Het pakket is gisteren goed "
    "aangekomen. Wilt u het formulier ondertekenen en zo spoedig mogelijk terugsturen? Bij "
    "ons is het ijskoud en er ligt sneeuw op de gracht. De sleutel ligt bij de buren. "
    "Met vriendelijke groeten uit Gouda, Liesbeth Zijlstra",
}
"""A letter in each language, without a digit."""

LABELS = (
    *("Name", "Street", "Signature", "Total", "Date of birth", "Betrag", "Ort", "Nom"),
    *("Adresse", "Fecha", "Firma", "Importe", "Città", "Bedrag", "Yes", "No", "Oui", "Non"),
    *("Please tick", "Zutreffendes ankreuzen", "BLOCK LETTERS", "Office use only", "Só isso"),
)

MIXED = (
    *("PO Box {4}", "PO Box {4}", "Costa Mesa, CA {5}", "Costa Mesa, CA {5}", "{5} Bad Zell"),
    *("$ {3}", "${3}", "Total: {4}", "No. {6}", "Tel. {3}-{4}", "{2}/{2}/{4}", "{3} -{4}"),
    *("{1}/{1}", "({3}) {7}", "{2}.{3},{2} EUR", "{3}.{2}", "{1},{3} kg", "Oak Street {2}"),
    *("Room {3} / Floor {2}", "{4} AB Zoelen", "Order {5}, {3} pcs", "Bill of {2} May {4}"),
    *("Konto {8}", "{3} Blvd", "Zip: {5}", "€ {2},{2}"),
)
"""Lines with numbers; {n} stands for n digits."""

SIZE = (1400, 1000)
INKS = ((25, 25, 30), (35, 45, 130), (20, 25, 85), (60, 60, 65))


@dataclass
class TextPage:
    """A page and the numbers on it.

    Parameters
    ----------
    name
        What it shows.
    image
        uint8 (H, W, 3).
    numbers
        Its numbers in the order of writing; a dot or a comma within one is left out.
    """

    name: str
    image: Pixels
    numbers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Supplies:
    """What pages are written with: fonts that print, fonts that look written, and digits."""

    printed: Sequence[Path]
    hands: Sequence[Path]
    digits: Digits


@lru_cache(maxsize=200)
def _font(path: Path, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size)


class Sheet:
    """A page while it is written on."""

    def __init__(self, rng: Random, supplies: Supplies, *, hand: bool) -> None:
        self.rng, self.supplies, self.hand = rng, supplies, hand
        level = rng.uniform(200, 252)
        self.page = np.empty((*SIZE, 3), np.float32)
        self.page[:] = [level + rng.normal(0, 4), level, level - rng.uniform(0, 14)]
        self.color = np.array(rng.choice(INKS), np.float32)
        self.path = rng.choice(supplies.hands if hand else supplies.printed)
        self.size = round(rng.uniform(24, 44) if hand else rng.uniform(20, 34))
        self.numbers: list[str] = []

    def ink(self, patch: Pixels, x: float, y: float, strength: float = 1.0) -> None:
        """Lay ink uint8 (h, w), 255 = full, with its upper left corner at x, y."""
        left, top = max(0, round(x)), max(0, round(y))
        here = self.page[top : top + patch.shape[0], left : left + patch.shape[1]]
        share = patch[: here.shape[0], : here.shape[1], None].astype(np.float32) / 255
        here += share * strength * (self.color - here)

    def word(self, text: str, x: float, base: float, size: int = 0) -> float:
        """Write on the line `base`; return where the ink ends."""
        font = _font(self.path, size or self.size)
        left, top, right, _ = (int(edge) for edge in font.getbbox(text, anchor="ls"))
        patch = draw_text(font, text)
        if not patch.size:
            return x + right
        if self.hand:
            base += self.rng.normal(0, 0.04) * self.size
            patch = _bend(self.rng, patch)
        self.ink(patch, x + left, base + top)
        return x + float(max(right, left + patch.shape[1]))

    def digits(self, text: str, x: float, base: float, height: float) -> float:
        """Write digits by hand, MNIST's test digits of one writer; return where they end."""
        part, rng = self.supplies.digits, self.rng
        writers = part.writers
        own = (
            None
            if writers is None
            else np.flatnonzero(writers == writers[rng.integers(len(writers))])
        )
        for char in text:
            pool = np.flatnonzero(part.labels == int(char))
            same = pool if own is None else np.intersect1d(pool, own)
            same = same if len(same) else pool
            glyph = part.images[same[rng.integers(len(same))]][3:25, 2:26]
            scale = height / 20
            patch = cv2.resize(glyph, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            columns = np.flatnonzero(patch.max(axis=0) > 60)
            patch = patch[:, columns[0] : columns[-1] + 1]
            self.ink(np.asarray(patch, np.uint8), x, base - height * 1.05)
            x += patch.shape[1] + height * rng.uniform(0.06, 0.2)
        return x

    def line(self, points: NDArray[np.float64], width: float) -> None:
        """Draw a stroke."""
        pen = max(1, round(width))
        left, top = np.floor(points.min(axis=0)).astype(int) - pen
        right, bottom = np.ceil(points.max(axis=0)).astype(int) + pen + 1
        mask = np.zeros((bottom - top, right - left), np.uint8)
        shape = np.rint((points - (left, top)) * 16).astype(np.int32)
        cv2.polylines(mask, [shape], False, 255, pen, cv2.LINE_AA, 4)
        up, before = max(0, -top), max(0, -left)
        self.ink(mask[up:, before:], left + before, top + up)

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 2) -> None:
        """Draw a straight line."""
        self.line(np.array([[x0, y0], [x1, y1]]), width)

    def paragraph(self, words: Sequence[str], top: float, left: float = 90) -> float:
        """Write words into lines; return the base of the last one."""
        x, base = left, top
        for word in words:
            width = _font(self.path, self.size).getlength(word)
            if x + width > SIZE[1] - 70:
                x, base = left, base + 1.7 * self.size
            if base > SIZE[0] - 60:
                break
            x = self.word(word, x, base) + 0.32 * self.size
        return base

    def photograph(self) -> Pixels:
        """Scan the sheet, or take a picture of it."""
        rng, page = self.rng, np.asarray(self.page, np.float32)
        if rng.bernoulli(0.5):
            down, across = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
            light = 1 - rng.uniform(0, 0.3) * (
                across / SIZE[1] * rng.uniform(-1, 1) + down / SIZE[0] * rng.uniform(-1, 1)
            )
            page = np.asarray(page * light[..., None], np.float32)
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.4, 1.1)), np.float32)
        noise = np.random.default_rng(rng.integers(1 << 30)).standard_normal(SIZE)
        page = np.asarray(page + noise[..., None] * rng.uniform(0.5, 4), np.float32)
        image = np.clip(np.rint(page), 0, 255).astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, round(rng.uniform(60, 95))]
        data = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
        decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(decoded[..., ::-1])


def _bend(rng: Random, patch: Pixels) -> Pixels:
    """Let a hand shake: slanted and wavy."""
    height = len(patch)
    field = np.pad(patch, ((4, 4), (height // 3 + 2,) * 2))
    rows, columns = np.mgrid[0 : field.shape[0], 0 : field.shape[1]].astype(np.float32)
    slant = rng.normal(0.0, 0.12) * (rows - field.shape[0] / 2)
    wave = (
        rng.uniform(0, 0.04)
        * height
        * np.sin(columns / max(4.0, height * 0.6) + rng.uniform(0, 6))
    )
    bent = cv2.remap(field, columns + slant, rows + wave.astype(np.float32), cv2.INTER_LINEAR)
    left, top, right, bottom = cv2.boundingRect(bent)
    right, bottom = right + left, bottom + top
    return np.ascontiguousarray(bent[top:bottom, left:right])


def text_page(supplies: Supplies, index: int) -> TextPage:
    """Compose page `index` of text without a digit."""
    rng = Random(np.random.default_rng([71, index]))
    language = list(LANGUAGES)[index % 6]
    hand, kind = index % 2 == 1, ("letter", "form", "leaflet")[index // 2 % 3]
    sheet = Sheet(rng, supplies, hand=hand)
    sentences = LANGUAGES[language].replace("? ", "?. ").split(". ")
    words = [word for _ in range(8) for word in (rng.choice(sentences) + ".").split()]
    if kind == "letter":
        for row, word in enumerate(rng.choice(sentences).split()[:4]):
            sheet.word(word.title(), 90, 110 + 1.4 * row * sheet.size)
        base = sheet.paragraph(sentences[0].split(), 160 + 6 * sheet.size)
        base = sheet.paragraph(words, base + 3 * sheet.size)
        sheet.word(sentences[-1].split(", ")[-1], 560, min(1360.0, base + 4 * sheet.size))
    elif kind == "leaflet":
        sheet.word(rng.choice(words).upper(), 90, 170, 3 * sheet.size)
        base = sheet.paragraph(words[:20], 300)
        sheet.size = round(0.6 * sheet.size)
        sheet.paragraph(words, base + 4 * sheet.size)
    else:
        _form(sheet, words)
    way = "by hand" if hand else "printed"
    return TextPage(f"{kind} {language} {way}", sheet.photograph())


def _form(sheet: Sheet, words: list[str]) -> None:
    """Labels with rules, boxes to tick, and what somebody wrote into them."""
    rng, print_path = sheet.rng, sheet.rng.choice(sheet.supplies.printed)
    hand_path, hand = sheet.path, sheet.hand
    for row in range(11):
        base = 140 + 108 * row
        sheet.path, sheet.hand = print_path, False
        x = sheet.word(rng.choice(LABELS) + ":", 90, base, 24)
        kind = rng.integers(3)
        if kind == 0:
            for place in range(3):
                left = 480 + 150 * place
                ring = np.array([(0, 0), (30, 0), (30, 30), (0, 30), (0, 0)], np.float64)
                sheet.line(ring + np.array((left, base - 26)), 2)
                if rng.bernoulli(0.4):
                    sheet.rule(left + 3, base - 20, left + 26, base)
                    sheet.rule(left + 26, base - 24, left + 4, base + 2)
        else:
            sheet.rule(x + 20, base + 8, 930, base + 8, 1 + kind)
            sheet.path, sheet.hand = hand_path, hand
            sheet.word(" ".join(rng.choice(words) for _ in range(2)), x + 50, base)


def marks_page(supplies: Supplies, index: int) -> TextPage:
    """Compose sheet `index` of bar codes, rulings, logos, stamps, crooked lines and scrawls."""
    rng = Random(np.random.default_rng([72, index]))
    sheet = Sheet(rng, supplies, hand=False)
    for row in range(3):
        for column in range(2):
            place = 80 + 460 * column, 90 + 440 * row
            MARKS[(index + 2 * row + column) % len(MARKS)](sheet, *place)
    return TextPage(f"marks {index}", sheet.photograph())


def _bars(sheet: Sheet, x: float, y: float) -> None:
    rng, height = sheet.rng, sheet.rng.uniform(60, 180)
    end = x + rng.uniform(200, 380)
    while x < end:
        width = 2 * (1 + rng.integers(4))
        sheet.ink(np.full((round(height), width), 255, np.uint8), x, y)
        x += width + 2 * (1 + rng.integers(4))


def _postal_bars(sheet: Sheet, x: float, y: float) -> None:
    """Four-state bars, as on mail."""
    for place in range(65):
        up, down = sheet.rng.bernoulli(0.5), sheet.rng.bernoulli(0.5)
        bar = np.full((round(10 + 9 * up + 9 * down), 3), 255, np.uint8)
        sheet.ink(bar, x + 6 * place, y + 60 - 9 * up)


def _matrix_code(sheet: Sheet, x: float, y: float) -> None:
    side, cell = 21 + 4 * sheet.rng.integers(3), 6 + sheet.rng.integers(5)
    noise = np.random.default_rng(sheet.rng.integers(1 << 30)).random((side, side)) < 0.5
    for top, left in ((0, 0), (0, side - 7), (side - 7, 0)):
        noise[top : top + 7, left : left + 7] = True
        noise[top + 1 : top + 6, left + 1 : left + 6] = False
        noise[top + 2 : top + 5, left + 2 : left + 5] = True
    sheet.ink(np.kron(noise, np.ones((cell, cell))).astype(np.uint8) * 255, x, y)


def _crooked(sheet: Sheet, x: float, y: float) -> None:
    """A table drawn by hand."""
    rng, step = sheet.rng, sheet.rng.uniform(50, 90)
    for number in range(5):
        along = np.linspace(0, 340, 9)
        shake = np.array([rng.normal(0, 4) for _ in along]) + rng.normal(0, 0.03) * along
        offset = number * step * np.ones(9) + shake
        sheet.line(np.column_stack([x + along, y + offset]), rng.uniform(2, 6))
        sheet.line(np.column_stack([x + offset, y + along]), rng.uniform(2, 6))


def _logo(sheet: Sheet, x: float, y: float) -> None:
    rng, mask = sheet.rng, np.zeros((240, 380), np.uint8)
    for _ in range(1 + rng.integers(3)):
        count, middle = 3 + rng.integers(5), (rng.uniform(80, 300), rng.uniform(80, 160))
        turns = np.sort([rng.uniform(0, 6.28) for _ in range(count)])
        radius = rng.uniform(40, 100)
        points = np.column_stack([np.cos(turns), np.sin(turns)]) * radius + middle
        cv2.fillPoly(
            mask, [points.astype(np.int32)], 255 * (not rng.bernoulli(0.3)), cv2.LINE_AA
        )
    cv2.ellipse(mask, (190, 120), (150, 90), 0, 0, 300, 255, 1 + rng.integers(9), cv2.LINE_AA)
    sheet.ink(mask, x, y)
    names = ("Bolz & Söhne", "OLIO", "Globe", "Zig-Zag", "BIBLIO", "sól")
    sheet.word(rng.choice(names), x + 60, y + 300, 54)


def _stamp(sheet: Sheet, x: float, y: float) -> None:
    rng, plate = sheet.rng, np.zeros((300, 400), np.uint8)
    for radius in (130, 112, 70):
        cv2.circle(plate, (200, 150), radius, 255, 3, cv2.LINE_AA)
    name = rng.choice(("PAID", "ZOLL", "BOLOGNA", "REÇU", "SIGLO"))
    word = draw_text(_font(sheet.path, 40), name)[:90, :210]
    plate[150 : 150 + word.shape[0], 95 : 95 + word.shape[1]] |= word
    for wave in range(5):
        along = np.arange(0, 160, 4)
        points = np.column_stack([240 + along, 90 + 22 * wave + 8 * np.sin(along / 13)])
        cv2.polylines(plate, [points.astype(np.int32)], False, 255, 3, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((200, 150), rng.normal(0, 12), 1.0)
    sheet.ink(np.asarray(cv2.warpAffine(plate, turn, (400, 300)), np.uint8), x, y, 0.6)


def _scrawl(sheet: Sheet, x: float, y: float) -> None:
    """A signature, an arrow, ticks and crosses."""
    rng = sheet.rng
    for row in range(3):
        way = [(x, y + 100 * row + 40)]
        for _ in range(6 + rng.integers(12)):
            way.append(
                (way[-1][0] + rng.uniform(-12, 40), y + 100 * row + 40 + rng.normal(0, 26))
            )
        smooth = cv2.GaussianBlur(np.repeat(np.array(way), 8, axis=0), (1, 15), 0)
        sheet.line(np.asarray(smooth, np.float64), rng.uniform(2, 5))
    for row in range(4):
        sheet.rule(x + 300, y + 70 * row, x + 330, y + 70 * row + 34, 4)
        sheet.rule(x + 330, y + 70 * row + 34, x + 372, y + 70 * row - 22, 4)


def _punctuation(sheet: Sheet, x: float, y: float) -> None:
    for row in range(5):
        signs = [sheet.rng.choice(",.-/$()€:;!—*#[|&") for _ in range(6)]
        sheet.word("  ".join(signs), x, y + 40 + 75 * row, round(sheet.rng.uniform(30, 60)))


MARKS = (_bars, _crooked, _logo, _postal_bars, _scrawl, _stamp, _matrix_code, _punctuation)


def mixed_page(supplies: Supplies, index: int) -> TextPage:
    """Compose page `index` with numbers beside words.

    Both are printed, or both in one font by hand, or words are printed and numbers written.
    """
    rng = Random(np.random.default_rng([73, index]))
    kind = ("printed", "by hand", "written beside print")[index % 3]
    sheet = Sheet(rng, supplies, hand=kind == "by hand")
    for row in range(9):
        base = 130 + 140 * row
        pattern = rng.choice(MIXED)
        if index % 3 == 2:
            _write_beside(sheet, pattern, 90, base)
            continue
        text = _fill(sheet, pattern)
        sheet.word(text, 90 + rng.uniform(0, 200), base, round(rng.uniform(26, 50)))
    return TextPage(f"mixed {kind}", sheet.photograph(), sheet.numbers)


def _number(sheet: Sheet, count: int, *, joins: bool) -> str:
    """Draw digits; where a dot or comma `joins` them to the number before, they extend it."""
    text = "".join(str(sheet.rng.integers(10)) for _ in range(count))
    if joins:
        sheet.numbers[-1] += text
    else:
        sheet.numbers.append(text)
    return text


def _pieces(pattern: str) -> list[tuple[str, int]]:
    """Return text and, after it, how many digits (0 at the end)."""
    parts = [*pattern.replace("}", "{").split("{"), "0"]
    return [(parts[i], int(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]


def _fill(sheet: Sheet, pattern: str) -> str:
    text = ""
    for index, (before, count) in enumerate(_pieces(pattern)):
        text += before
        if count:
            text += _number(sheet, count, joins=index > 0 and before in (".", ","))
    return text


def _write_beside(sheet: Sheet, pattern: str, x: float, base: float) -> None:
    height = sheet.rng.uniform(30, 46)
    for index, (before, count) in enumerate(_pieces(pattern)):
        if before:
            apart = 0.05 if before in (".", ",") else 0.25
            x = sheet.word(before, x, base, round(height)) + apart * height
        if count:
            text = _number(sheet, count, joins=index > 0 and before in (".", ","))
            x = sheet.digits(text, x, base, height) + 0.1 * height
