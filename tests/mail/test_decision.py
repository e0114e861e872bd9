"""The decision: readings, directory and place together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from digitlens.ctc import Line
from digitlens.errors import UsageError
from digitlens.mail.candidates import ZipCandidate, is_of_sender, rank_zip_lines
from digitlens.mail.decision import Reason, decide, find_line
from digitlens.mail.directory import Directory, Place
from digitlens.mail.posterior import Priors, zip_posterior
from digitlens.mail.thresholds import ALONE, CITY, DIRECTORY, STATE

Make = Callable[..., Line]


def test_a_sure_zip_is_accepted(directory: Directory, line: Make) -> None:
    """A ZIP that exists and is surer than the bar is accepted, with its place."""
    result = decide(line("00501", 0.999), directory)
    assert (result.zip, result.reason, result.why) == ("00501", None, "")
    assert result.place is not None
    assert (result.place.city, result.place.state) == ("Holtsville", "NY")
    assert result.probability > 0.99
    assert result.guesses[0].zip == "00501"


def test_zip_plus_four_is_judged_by_its_five(directory: Directory, line: Make) -> None:
    """Nine digits are a ZIP+4; readings with the same five add up."""
    read = line("021340001", 0.6, (("021340007", 0.3), ("021390001", 0.05)))
    result = decide(read, directory, threshold=0.95)
    assert (result.zip, result.plus4) == ("02134", "0001")
    assert result.as_dict()["zip4"] == "02134-0001"


def with_barcode(line: Make, digits: str, *written: Line) -> list[ZipCandidate]:
    """Return lines of one piece, and what its barcode says."""
    code = ZipCandidate(line(digits, 0.9999), is_barcode=True)
    return [*(ZipCandidate(item, 0.99) for item in written), code]


def test_a_barcode_is_accepted_where_nothing_else_is_written(
    directory: Directory, line: Make
) -> None:
    """What a barcode says is the ZIP, unless most likely another one is written."""
    doubtful = line("10001", 0.4, (("02134", 0.35), ("02135", 0.2)))
    for written in ((), (line("00501", 0.6),), (doubtful,)):
        result = decide(with_barcode(line, "005011234", *written), directory)
        assert (result.zip, result.plus4, result.reason) == ("00501", "1234", None)
        assert result.place is not None
        assert result.probability == 0.9999
        assert sum(guess.probability for guess in result.guesses) < 1


def test_a_barcode_that_is_contradicted_goes_to_a_person(
    directory: Directory, line: Make
) -> None:
    """Another ZIP that is written, or another city, is told with both."""
    result = decide(with_barcode(line, "00501", line("10001", 0.999)), directory)
    assert (result.zip, result.reason) == (None, Reason.BARCODE)
    assert result.why == "the barcode says 00501, and 10001 is written"
    assert {guess.zip for guess in result.guesses} == {"00501", "10001"}
    result = decide(with_barcode(line, "00501"), directory, city="Boston", state="MA")
    assert result.reason == Reason.BARCODE
    assert result.why == "the barcode says 00501, which is not of the address"


def test_a_barcode_with_no_zip_that_exists_says_nothing(
    directory: Directory, line: Make
) -> None:
    """Then the written lines decide alone."""
    both = with_barcode(line, "90219", line("10001", 0.999))
    assert decide(both, directory) == decide(both[:1], directory)


CASES = [
    (None, {}, Reason.NO_DIGITS, "no line of digits was found"),
    (("", 0.9), {}, Reason.NO_DIGITS, "no line of digits was found"),
    (("", 0.9, (("7", 0.1),)), {}, Reason.NO_DIGITS, "most likely there are no digits"),
    (("902101", 0.99), {}, Reason.LENGTH, "6 digits were read; a ZIP has 5 or 9"),
    (("90219", 0.99), {}, Reason.UNKNOWN, "90219 was read; there is no such ZIP"),
    (
        ("10001", 0.99),
        {"city": "Boston", "state": "MA"},
        Reason.PLACE,
        "10001 was read, which is New York NY, not Boston MA",
    ),
    (
        ("02134", 0.7, (("02135", 0.3),)),
        {},
        Reason.UNSURE,
        "02134 is 73.8 % sure; needs 99.0 %",
    ),
]


@pytest.mark.parametrize(("read", "known", "reason", "why"), CASES)
def test_each_reason_is_said(
    directory: Directory, line: Make, read: tuple | None, known: dict, reason: Reason, why: str
) -> None:
    """What is not accepted says why, as a word and as a sentence."""
    result = decide(None if read is None else line(*read), directory, **known)
    assert (result.zip, result.place, result.reason, result.why) == (None, None, reason, why)


def test_the_city_rules_out_what_contradicts(directory: Directory, line: Make) -> None:
    """Of two ZIPs, both likely, that of the city is accepted; without it a person looks."""
    read = line("10001", 0.55, (("10007", 0.3), ("02134", 0.1)))
    assert decide(read, directory, threshold=0.95).zip is None
    assert decide(read, directory, city="Boston", threshold=0.95).zip == "02134"
    # Both stand in New York: the city does not help.
    assert decide(read, directory, city="New York", threshold=0.95).reason is Reason.UNSURE


def test_the_directory_rules_out_what_does_not_exist(directory: Directory, line: Make) -> None:
    """A likelier string that is no ZIP gives way to the one that is."""
    result = decide(line("90212", 0.5, (("90210", 0.45),)), directory, threshold=0.8)
    assert result.zip == "90210"


def test_a_sure_reading_is_not_overruled(directory: Directory, line: Make) -> None:
    """Where the city contradicts a sure reading, no unlikely alternative is made of it."""
    read = line("10001", 0.9995, (("02134", 0.0004),))
    result = decide(read, directory, city="Boston", state="MA")
    assert (result.zip, result.reason) == (None, Reason.PLACE)
    assert [guess.zip for guess in result.guesses] == ["10001", "02134"]


def test_what_was_not_listed_counts(directory: Directory, line: Make) -> None:
    """A reading without alternatives is no surer than its confidence where neighbours exist."""
    crowd = Directory(
        Place(f"9021{digit}", "Beverly Hills", ("Beverly Hills",), "CA", "", "STANDARD")
        for digit in range(10)
    )
    alone = decide(line("90210", 0.7), directory).probability
    assert 0.7 < decide(line("90210", 0.7), crowd).probability < alone < 1


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_a_bar_out_of_range_is_refused(
    directory: Directory, line: Make, threshold: float
) -> None:
    """A bar is a probability."""
    with pytest.raises(UsageError, match="a threshold lies between 0 and 1"):
        decide(line("90210"), directory, threshold=threshold)


def test_an_unknown_city_is_refused(directory: Directory, line: Make) -> None:
    """A city that no ZIP has is wrong usage, not a reason to reject the piece."""
    with pytest.raises(UsageError, match=re.escape("no city of that name")):
        decide(line("90210"), directory, city="Atlantis")


def test_a_routing_is_plain_values(directory: Directory, line: Make) -> None:
    """JSON holds it, the ZIP as text."""
    result = json.loads(json.dumps(decide(line("00501"), directory).as_dict()))
    assert (result["zip"], result["reason"]) == ("00501", None)
    assert result["guesses"][0]["city"] == "Holtsville"


def test_weights_sum_to_one_at_most(directory: Directory, line: Make) -> None:
    """What is left over belongs to strings that were not listed."""
    read = line("10001", 0.5, (("10007", 0.2), ("1000", 0.2)))
    priors = Priors(unlisted_rate=0.2)
    weighed = zip_posterior([ZipCandidate(read)], directory, priors=priors)
    assert sum(weighed.posterior.values()) <= 1
    assert weighed.wrong_length == pytest.approx(0.5 * 0.8 * 0.5)
    certain = zip_posterior(
        [ZipCandidate(line("10001", 1.0))], directory, priors=Priors(unlisted_rate=0.0)
    )
    assert certain.posterior == {"10001": 1.0}


def test_a_line_that_may_not_be_the_zip_is_believed_less(
    directory: Directory, line: Make
) -> None:
    """The less likely a line is the ZIP, the less it counts, unless it fits the city."""
    read = line("10001", 0.9, (("10007", 0.1),))
    sure, doubtful = (
        decide([ZipCandidate(read, share)], directory, threshold=0).probability
        for share in (1.0, 0.001)
    )
    assert doubtful < sure
    # Two of twelve ZIPs are New York's: that one of them was read by chance is less likely.
    placed = decide([ZipCandidate(read, 0.001)], directory, city="New York", threshold=0)
    assert doubtful < placed.probability < sure


def test_a_line_of_another_length_is_no_zip(line: Make) -> None:
    """An unlikely string of five digits is not believed because the likely one has four."""
    country = Directory(
        Place(f"{index:05d}", "Anywhere", ("Anywhere",), "NY", "", "STANDARD")
        for index in range(0, 100_000, 2)
    )
    result = decide(line("0213", 0.9, (("02134", 0.05),)), country)
    assert result.zip is None
    assert result.probability < 0.3


def test_the_city_finds_the_right_one_of_two_lines(directory: Directory, line: Make) -> None:
    """Of two lines that may be the ZIP, the one that fits the city counts, and is shown."""
    both = [ZipCandidate(line("10001", 0.99), 0.7), ZipCandidate(line("02134", 0.99), 0.3)]
    result = decide(both, directory, city="Boston", state="MA", threshold=0.9)
    assert (result.zip, result.text) == ("02134", "02134")
    assert decide(both, directory, threshold=0.9).reason is Reason.UNSURE


def test_the_lowest_zip_is_the_receivers(line: Make) -> None:
    """The sender's ZIP stands above, a house number to the left, a stray mark is no ZIP."""
    sender = line("10001", 0.99, box=(20, 40, 90, 60))
    house = line("12345", 0.9, box=(300, 200, 380, 225))
    receiver = line("02134", 0.9, box=(520, 262, 600, 290))
    beside = line("31415", 0.9, box=(300, 258, 380, 285))
    mark = line("11111", 0.05, box=(400, 380, 500, 400))
    short = line("77", 0.99, box=(300, 330, 340, 350))
    ranked = rank_zip_lines([sender, house, receiver, beside, mark, short])
    assert ranked[0].line is receiver
    assert rank_zip_lines([short, mark])[0].line is short
    assert rank_zip_lines([]) == ()
    result = rank_zip_lines([sender, house, receiver, beside])
    assert [item.line for item in result] == [receiver, beside, house, sender]
    assert 0.9 < sum(item.share for item in result) < 1
    assert [item.line for item in rank_zip_lines([short, mark])] == [short]


def test_a_picture_with_another_number_says_so(directory: Directory, line: Make) -> None:
    """Where no line may be a ZIP, the reason is the length of the surest one."""
    result = decide(rank_zip_lines([line("902101", 0.9), line("17", 0.5)]), directory)
    assert (result.reason, result.text) == (Reason.LENGTH, "902101")


def test_what_is_surely_read_counts_more(line: Make) -> None:
    """The four digits behind the dash, or a word read as digits, do not hide a sure ZIP."""
    whole = line("021340001", 0.4, box=(500, 260, 700, 290))
    five = line("02134", 0.99, box=(500, 262, 600, 290))
    four = line("10001", 0.6, box=(610, 262, 700, 290))
    word = line("11017", 0.3, box=(300, 262, 420, 290))
    result = rank_zip_lines([word, whole, five, four])
    assert result[0].line is five
    assert whole not in [item.line for item in result], "it is the same ink"
    assert result[0].share > 0.9


def test_the_senders_corner_is_left_out(line: Make) -> None:
    """A sure ZIP in the upper left is not the receiver's, unless it is all there is."""
    sender = line("10001", 0.99, box=(20, 40, 90, 60))
    receiver = line("02134", 0.3, box=(520, 262, 600, 290))
    assert is_of_sender(sender.box, (900, 400))
    assert not is_of_sender(receiver.box, (900, 400))
    assert not is_of_sender(sender.box, (120, 80)), "a ZIP that was cut out"


def test_each_amount_of_knowledge_has_its_bar(directory: Directory, line: Make) -> None:
    """The bar of the city counts where a city is given; without a bar nothing is accepted."""
    thresholds = {ALONE: 0.0, DIRECTORY: 0.99, STATE: None, CITY: 0.6}
    read = line("10001", 0.8, (("10007", 0.2),))
    assert decide(read, directory, threshold=thresholds).zip is None
    assert (
        decide(read, directory, city="New York", state="NY", threshold=thresholds).zip
        == "10001"
    )
    result = decide(read, directory, state="NY", threshold=thresholds)
    assert (result.zip, result.reason) == (None, Reason.UNSURE)
    assert result.why.endswith("% sure; no threshold keeps what was promised")


def test_letters_before_a_zip_are_seen_through(directory: Directory, line: Make) -> None:
    """Of a state's letters and a ZIP read as nine digits, the last five are what is meant."""
    joined = line("902100501", 0.3, (("902100507", 0.1),))
    joined = replace(joined, digits=line("902100501", 0.999).digits)
    result = decide(joined, directory, state="NY", threshold=0.97)
    assert (result.zip, result.plus4, result.text) == ("00501", "", "00501")
    part = find_line("00501", [ZipCandidate(joined)])
    assert (part.text, part.digits) == ("00501", joined.digits[4:])
    assert (part.box[0], part.box[2]) == (joined.digits[4].box[0], joined.box[2])
    # Where nobody knows where it goes, the ZIP may as well be the first five of nine.
    assert decide(joined, directory, threshold=0.97).zip is None
    # A sure ZIP+4 stays one, wherever its end might go.
    assert decide(line("100010213", 0.999), directory).zip == "10001"
    assert decide(joined, directory, state="NY", priors=Priors(letters_rate=0.0)).zip is None


def test_a_line_is_shown_that_says_the_zip(line: Make) -> None:
    """Its text first, then its alternatives, then the last five of nine; else the likeliest."""
    other = line("11111", 0.9)
    may = line("22222", 0.9, (("02134", 0.1),))
    says = line("021340001", 0.5)
    letters = line("999902134", 0.5)
    lines = [ZipCandidate(item) for item in (other, letters, may, says)]
    assert find_line("02134", lines) is says
    assert find_line("02134", lines[:3]) is may
    last = find_line("02134", lines[:2])
    assert (last.text, len(last.digits)) == ("02134", 5)
    assert last.confidence == pytest.approx(0.5**5)
    assert last.box == (letters.digits[4].box[0], 200.0, 400.0, 230.0)
    assert find_line("02134", lines[:1]) is other
    assert find_line("11111", lines) is find_line("99999", lines) is other


def test_the_four_digits_are_those_of_the_likeliest_reading(
    directory: Directory, line: Make
) -> None:
    """Five digits read first have no four behind them, though an alternative has."""
    five = line("02134", 0.6, (("021340001", 0.39),))
    assert decide(five, directory, threshold=0.9).plus4 == ""
    nine = line("021350001", 0.02, (("021340007", 0.5), ("02134", 0.4)))
    assert decide(nine, directory, threshold=0.8).plus4 == "0007"
    low = line("02130", 0.01, (("021340007", 0.9),))
    assert decide(low, directory, threshold=0.8).plus4 == "0007"
    last = line("90219", 0.01, (("02134", 0.5), ("021340007", 0.4)))
    assert decide(last, directory, threshold=0.8).plus4 == ""


def test_three_guesses_are_offered_the_likeliest_first(
    directory: Directory, line: Make
) -> None:
    """Of equals the lower ZIP stands first."""
    read = line("02134", 0.3, (("10007", 0.2), ("10001", 0.2), ("90210", 0.1), ("90211", 0.1)))
    result = decide(read, directory)
    assert [guess.zip for guess in result.guesses] == ["02134", "10001", "10007"]
    assert result.place is None
    assert result.as_dict()["zip4"] is None


def test_a_probability_has_six_places(directory: Directory, line: Make) -> None:
    """Listings are compared as text: no more places than mean something."""
    values = decide(line("02134", 0.7, (("02135", 0.3),)), directory).as_dict()
    for value in (values["probability"], values["guesses"][0]["probability"]):
        assert value == round(value, 6) != round(value, 5)
    guess = values["guesses"][0]
    assert (guess["zip"], guess["city"], guess["state"]) == ("02134", "Allston", "MA")


def test_a_zip_is_accepted_from_its_threshold_on(directory: Directory, line: Make) -> None:
    """Exactly as likely as is wanted is likely enough; 0 and 1 are thresholds."""
    read = line("02134", 0.7, (("02135", 0.3),))
    sure = decide(read, directory).probability
    assert decide(read, directory, threshold=sure).zip == "02134"
    assert decide(read, directory, threshold=np.nextafter(sure, 1)).zip is None
    assert decide(read, directory, threshold=0.0).zip == "02134"
    assert decide(read, directory, threshold=1.0).zip is None


CLAIMS = [
    ("902101", {}, Reason.LENGTH, "6 digits were read; a ZIP has 5 or 9"),
    ("90219", {}, Reason.UNKNOWN, "90219 was read; there is no such ZIP"),
    (
        "10001",
        {"city": "Boston"},
        Reason.PLACE,
        "10001 was read, which is New York NY, not Boston",
    ),
    ("10001", {"state": "MA"}, Reason.PLACE, "10001 was read, which is New York NY, not MA"),
]


@pytest.mark.parametrize(("read", "known", "reason", "why"), CLAIMS)
def test_what_is_likelier_than_not_is_the_reason(
    directory: Directory, line: Make, read: str, known: dict, reason: Reason, why: str
) -> None:
    """A length, a ZIP that is not there or another place names the reason from one half on."""

    def ask(likely: float) -> tuple[Reason | None, str]:
        result = decide(
            line(read, likely, (("02134", 0.99 - likely),)), directory, threshold=1.0, **known
        )
        return result.reason, result.why

    assert ask(0.55) == ask(0.8) == (reason, why)
    assert ask(0.45)[0] is Reason.UNSURE


def test_nothing_likely_has_no_probability(directory: Directory, line: Make) -> None:
    """Where no ZIP is possible there is no guess, and 0 is how sure it is."""
    result = decide(line("902101", 1.0), directory)
    assert (result.probability, result.guesses, result.reason) == (0.0, (), Reason.LENGTH)
