"""A cache that drops what was used least recently."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Keeps the `size` values that were used last; safe to use from several threads.

    >>> cache = LruCache[str, int](2)
    >>> for number, name in enumerate("abc"):
    ...     cache.put(name, number)
    >>> cache.get("a"), cache.get("c")
    (None, 2)
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value of `key`, or None; it counts as used now."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, and drop the least recently used ones beyond the size."""
        with self._lock:
            self._values[key] = value
            # A key that is put again is moved as well: its old place would drop it too early.
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
