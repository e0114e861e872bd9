"""Any number of pictures: listed once, computed in parts, gone on with after a kill.

`make_ledger` lists what is to be done and freezes it in a folder, `run_batch` computes the
parts that are not there yet, on an engine: processes of this machine, or Ray. `Rows` is what is
done with one picture; other engines may call it.
"""

from __future__ import annotations

from digitlens.batch.items import Item
from digitlens.batch.ledger import Ledger, Shard, Status, make_ledger, open_ledger
from digitlens.batch.listing import list_items
from digitlens.batch.rows import Rows
from digitlens.batch.run import LocalEngine, drop_failed, make_request, run_batch

__all__ = [
    "Item",
    "Ledger",
    "LocalEngine",
    "Rows",
    "Shard",
    "Status",
    "drop_failed",
    "list_items",
    "make_ledger",
    "make_request",
    "open_ledger",
    "run_batch",
]
