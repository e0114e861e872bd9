"""What an Intelligent Mail barcode says: who sent which piece where."""

from __future__ import annotations

from dataclasses import dataclass

from digitlens.errors import UsageError

TRACKING = 20
ROUTINGS = (0, 5, 9, 11)
LARGE = "9"
"""A mailer whose number begins with 9 has one of nine digits, others have six."""


@dataclass(frozen=True)
class IntelligentMail:
    """The digits of an Intelligent Mail barcode.

    Parameters
    ----------
    tracking
        20 digits: barcode identifier (2; the second is 0 to 4), service type (3), mailer (6,
        or 9 that begin with 9), serial number (9 or 6).
    routing
        The ZIP: none, 5, 9 (ZIP+4) or 11 digits (with the delivery point).

    Raises
    ------
    UsageError
        Something else than digits, or too many or too few of them.

    Examples
    --------
    >>> mail = IntelligentMail("01234567094987654321", "012345678")
    >>> mail.mailer, mail.serial, mail.routing
    ('567094', '987654321', '012345678')
    """

    tracking: str
    routing: str = ""

    def __post_init__(self) -> None:
        check_digits("the tracking code", self.tracking, (TRACKING,))
        check_digits("the routing code", self.routing, ROUTINGS)
        if self.tracking[1] not in "01234":
            raise UsageError(
                "the second digit of the barcode identifier is 0, 1, 2, 3 or 4",
                seen=self.tracking[:2],
            )

    @classmethod
    def of(
        cls, identifier: str, service: str, mailer: str, serial: int | str, routing: str = ""
    ) -> IntelligentMail:
        """Put the tracking code together; `serial` gets its leading zeros.

        Raises
        ------
        UsageError
            A field of another length, or a serial number too long for its field.
        """
        check_digits("the barcode identifier", identifier, (2,))
        check_digits("the service type", service, (3,))
        check_digits("the mailer's number", mailer, (9 if mailer[:1] == LARGE else 6,))
        room = TRACKING - 5 - len(mailer)
        number = f"{serial:0{room}d}" if isinstance(serial, int) else serial.zfill(room)
        check_digits("the serial number", number, (room,))
        return cls(identifier + service + mailer + number, routing)

    @property
    def identifier(self) -> str:
        """The barcode identifier, two digits."""
        return self.tracking[:2]

    @property
    def service(self) -> str:
        """The service type identifier, three digits."""
        return self.tracking[2:5]

    @property
    def mailer(self) -> str:
        """The mailer's number, six or nine digits."""
        return self.tracking[5 : 14 if self.tracking[5] == LARGE else 11]

    @property
    def serial(self) -> str:
        """The piece's number, nine or six digits."""
        return self.tracking[14 if self.tracking[5] == LARGE else 11 :]


def check_digits(what: str, text: str, lengths: tuple[int, ...]) -> None:
    """Raise `UsageError` unless `text` is digits 0 to 9, and as many as one of `lengths`."""
    if not (text.isascii() and text.isdigit()) and text:
        raise UsageError(f"{what} holds digits only", seen=repr(text))
    if len(text) not in lengths:
        wanted = ", ".join(map(str, lengths[:-1])) + " or " * (len(lengths) > 1)
        raise UsageError(
            f"{what} must have {wanted}{lengths[-1]} digits", seen=f"{len(text)}: {text!r}"
        )
