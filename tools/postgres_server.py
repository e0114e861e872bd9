"""Debian's PostgreSQL, run for tests in a folder of its own by a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TRUSTED = "digitlens"


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian has them in no PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    there = shutil.which("initdb")
    return next((item for item in folders if (item / "initdb").is_file()), None) or (
        Path(there).parent if there else None
    )


@contextmanager
def run_postgres(programs: Path, *, fsync: bool = False) -> Iterator[str]:
    """Run a server that only this machine's users reach; give the folder of its socket.

    It refuses to run as root: then it runs as nobody.
    """
    folder = Path(tempfile.mkdtemp(prefix="dl-pg-"))
    account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    folder.chmod(0o755)
    os.chown(folder, account.pw_uid, account.pw_gid)
    drop: dict[str, Any] = {}
    if os.getuid() == 0:
        drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def run(name: str, *arguments: str) -> None:
        command = [str(programs / name), "-D", f"{folder}/data", *arguments]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **drop)

    try:
        trust = ("-A", "trust", "-U", TRUSTED, "-E", "UTF8", "--locale=C", "--no-sync")
        run("initdb", *trust)
        options = f"-k {folder} -c listen_addresses='' -c fsync={'on' if fsync else 'off'}"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield str(folder)
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
