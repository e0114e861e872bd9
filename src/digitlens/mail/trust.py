"""Which bars belong to a reader: measured ones where there are any, else an honest stand-in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens import files
from digitlens.atomic import write_text
from digitlens.errors import UsageError
from digitlens.mail.deciding import USUAL, Bars, Beliefs, Measured

if TYPE_CHECKING:
    from digitlens.reader.network import LineNetwork

OURS = Path(__file__).with_name("measured.json")
"""The bars of the published reader."""

NAME = "mail.json"
"""The file beside another reader's network that `digitlens mail measure` writes its bars to."""


@dataclass(frozen=True)
class Trust:
    """How far a reader is trusted.

    Parameters
    ----------
    bars, beliefs
        As `digitlens.mail.deciding.decide` has them.
    doubt
        Why the promise may not hold, in words; ``""`` where it rests on measured bars.
    """

    bars: Bars | float
    beliefs: Beliefs = USUAL
    doubt: str = ""


def mark_of(network: LineNetwork) -> str:
    """Return what tells this reader from others, 16 hexadecimal digits.

    Training run and calibration count; the words of its card do not.
    """
    card, fitted = network.card, network.calibrations
    about = [card.name, card.seed, card.steps, card.created, card.weights]
    text = json.dumps([about, fitted and fitted.as_dict()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_measured(path: Path) -> Measured:
    """Return the bars in a file that `digitlens mail measure` wrote.

    Raises
    ------
    MissingDataError, DataError
        There is no such file, or it holds something else.
    """
    try:
        raw = json.loads(files.read(path).content)
    except ValueError:
        raw = None
    return Measured.from_dict(raw, str(path))


def write_measured(path: Path, measured: Measured) -> None:
    """Write bars to a file, whole or not at all.

    Raises
    ------
    StorageError
        The disk is full, or the place cannot be written.
    """
    rows = (
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in measured.as_dict().items()
    )
    write_text(path, "{\n" + ",\n".join(rows) + "\n}\n")


def measured_for(network: LineNetwork) -> Measured | None:
    """Return the bars that were measured for a reader, None where there are none.

    Those of the published reader come with digitlens. Another reader's lie beside its network
    as ``mail.json``; bars that were measured for an earlier one there do not count.

    Raises
    ------
    DataError
        ``mail.json`` holds something else.
    """
    mark = mark_of(network)
    beside = network.path.with_name(NAME)
    for path in (OURS, beside):
        if path.is_file():
            found = read_measured(path)
            if found.reader == mark:
                return found
    return None


def trust_in(network: LineNetwork, error: float) -> Trust:
    """Return from which probability on a ZIP is accepted, and what that rests on.

    Measured bars where there are any. Else one bar of 1 - `error`: that keeps the promise if
    the reader's probabilities are right, and the doubt is told.

    Parameters
    ----------
    error
        Of what is accepted, at most this share is to be wrong; above 0, at most 1.

    Raises
    ------
    UsageError
        The measured bars cannot promise this error rate.
    DataError
        As `measured_for` has it.
    """
    found = measured_for(network)
    if found is not None:
        bars = found.bars(error)
        if all(bar is None for bar in bars.of.values()):
            raise UsageError(
                f"the reader cannot promise that at most {error:.2%} is wrong",
                seen=f"bars measured on {found.about.get('lines', 'some')} lines",
                try_="a larger --max-error",
            )
        return Trust(bars, replace(USUAL, elsewhere=found.elsewhere))
    doubt = unmeasured("this reader", error)
    if network.calibrations is None:
        doubt += ", which nobody fitted: the promise may well not hold"
    return Trust(1 - error, doubt=doubt)


def unmeasured(whose: str, error: float) -> str:
    """Return in words what is accepted where no bars were measured."""
    sure = f"{100 * (1 - error):g} %"
    return (
        f"no bars were measured for {whose}: accepted is what is {sure} sure "
        "by its own confidence"
    )


@cache
def default_bars(error: float = 0.01) -> Bars:
    """Return the bars of the published reader."""
    return read_measured(OURS).bars(error)
