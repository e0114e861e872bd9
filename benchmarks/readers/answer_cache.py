"""Answers kept in .bench/reading: by reader, and by what is in the picture, not its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from readers.pictures import Task
    from readers.protocol import Answer


class AnswerCache:
    """The answers of one reader.

    An answer belongs to the bytes of a picture: once the generator writes other pictures,
    those read before are not found any more.

    Parameters
    ----------
    path
        A JSON file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.about: dict[str, Any] = {}
        self._answers: dict[str, Any] = {}
        if path.exists():
            raw = json.loads(path.read_text(encoding="utf-8"))
            self.about, self._answers = raw["about"], raw["answers"]

    @staticmethod
    def _key(task: Task, length: int | None, setting: str) -> str:
        kind = "page" if task.page else "line"
        return f"{task.digest}|{kind}|{length or ''}|{setting}"

    def get(self, task: Task, length: int | None, setting: str) -> Answer | None:
        """Return the answer to a question, None where it was not asked."""
        result = self._answers.get(self._key(task, length, setting))
        answer: Answer | None = None if result is None else result["answer"]
        return answer

    def put(self, task: Task, length: int | None, setting: str, answer: Answer) -> None:
        """Keep the answer to a question; the picture's name and truth beside it, to study."""
        self._answers[self._key(task, length, setting)] = {
            "set": task.group,
            "picture": task.name,
            "truth": "|".join(task.truth),
            "answer": answer,
        }

    def save(self) -> None:
        """Write the file, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        text = json.dumps({"about": self.about, "answers": self._answers}, indent=0)
        new.write_text(text, encoding="utf-8")
        new.replace(self.path)
