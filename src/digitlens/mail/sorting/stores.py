"""Which store keeps the state of the trays in a folder."""

from __future__ import annotations

import secrets
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

from digitlens.errors import MissingDataError, RunError, UsageError
from digitlens.mail.sorting.postgres import PostgresStore
from digitlens.mail.sorting.sqlite import FILE, SqliteStore
from digitlens.storage import make_folder, read_file, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.mail.sorting.store import Store


# A folder of trays and the database that keeps its state hold one name by which they know each
# other: in the folder it is this file, in the database this fact.
PAIRED = ".store"
PAIR = "trays"
ADDRESSES = ("postgresql://", "postgres://")


def make_store(out: Path, address: str | None = None, *, create: bool = False) -> Store:
    """Return the store of the trays in `out`; `create` makes it where there is none.

    address: of a PostgreSQL database; None: the SQLite file in `out`

    Raises UsageError: the address is none, or the state is in the other kind of store;
    RunError: the database keeps the state of other trays; and as both kinds of store do.
    """
    if address is None:
        check_unpaired(out)
        return SqliteStore(out, create=create)
    if not address.startswith(ADDRESSES):
        raise UsageError("a store is postgresql://USER@HOST/DATABASE", seen=repr(address))
    if (out / FILE).exists():
        raise UsageError(
            f"the state of {out} is in {FILE}, not in a database",
            try_="leave --store out, or sort into another folder",
        )
    if not create and not (out / PAIRED).is_file():
        raise MissingDataError(
            f"nothing was sorted into {out} with this store",
            try_=f"digitlens route FOLDER --out {out} --store ADDRESS",
        )
    store = PostgresStore(address, create=create)
    _check_pair(store, out)
    return store


def check_unpaired(out: Path) -> None:
    """Raise `UsageError` where the state of the trays in `out` is in a database."""
    if (out / PAIRED).is_file():
        raise UsageError(
            f"the state of {out} is in a database",
            likely="it was sorted with --store",
            try_="--store postgresql://USER@HOST/DATABASE",
        )


def _check_pair(store: PostgresStore, out: Path) -> None:
    """See to it that a store keeps the state of one folder of trays."""
    name = store.read_fact(PAIR) or store.keep_fact(PAIR, partial(_name_trays, out))
    own = None
    with suppress(MissingDataError):
        own = read_file(out / PAIRED).content.decode()
    if own != name:
        store.close()
        raise RunError(
            f"the store {store.name} keeps the state of other trays than {out}",
            try_="one database, or one --store, for each folder of trays",
        )


def _name_trays(out: Path) -> str:
    make_folder(out)
    if not (out / PAIRED).exists():
        write_text(out / PAIRED, secrets.token_hex(16))
    return read_file(out / PAIRED).content.decode()


def open_store(
    out: Path, address: str | None = None, *, create: bool = False
) -> closing[Store]:
    """Return the store of `make_store` for a ``with`` statement, which closes it at its end."""
    return closing(make_store(out, address, create=create))
