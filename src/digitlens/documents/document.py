"""What every kind of file with pages can do."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlens.ink.opening import Opened


class Document(abc.ABC):
    """The pages of one file.

    Parameters
    ----------
    content
        The file's bytes.
    name
        What messages call it.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self.content = content
        self.name = name

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """How many pages there are."""

    @property
    def numbered(self) -> bool:
        """Whether pages are told apart by their numbers."""
        return self.count > 1

    @abc.abstractmethod
    def page(self, at: int) -> Opened:
        """Return the pixels of page `at`, the first is 0.

        Raises
        ------
        CorruptFileError, ShapeError
            As `digitlens.ink.opening.open_picture` says.
        """

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what is held besides memory."""

    def called(self, at: int) -> str:
        """Return what messages call page `at`."""
        return f"{self.name}, page {at + 1}" if self.numbered else self.name
