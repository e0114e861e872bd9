"""A driver of real processes, killed in the middle."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from digitlens.batch import Rows, list_items, make_ledger, make_request, run_batch
from digitlens.cli.doctor import GOLDEN


def test_a_killed_driver_is_gone_on_with(
    write_digit: Callable[[str], Path],
    engine: Any,
    snapshot: Callable[[Path], dict[str, bytes]],
    in_tmp: Path,
) -> None:
    """Killed while its processes work, what is left is whole; gone on with, nothing differs."""
    content = write_digit("m/000.png").read_bytes()
    for index in range(1, 300):
        Path(f"m/{index:03d}.png").write_bytes(b"no picture" if index % 50 == 7 else content)
    rows = Rows("predict", GOLDEN, flat=False)
    request = make_request(rows, ["m"], part_size=4)

    def go_on(folder: str) -> None:
        run_batch(make_ledger(Path(folder), request, list_items(["m"])), rows, engine)

    go_on("calm")
    words = ("batch", "predict", "m", "--out", "killed", "--part-size", "4", "--workers", "2")
    driver = subprocess.Popen(
        [sys.executable, "-m", "digitlens", *words, "--model", str(GOLDEN)],
        stderr=subprocess.DEVNULL,
    )
    while not Path("killed/part-00002.jsonl").exists():
        assert driver.poll() is None, "it is killed before it is done"
        with suppress(subprocess.TimeoutExpired):
            driver.wait(0.02)
    driver.kill()
    driver.wait()
    calm, left = snapshot(Path("calm")), snapshot(Path("killed"))
    parts = {name: left[name] for name in left if name.startswith("part-")}
    assert 3 <= len(parts) < 75
    assert parts.items() <= calm.items()
    go_on("killed")
    left = snapshot(Path("killed"))
    assert {name: left[name] for name in left if not name.endswith(".tmp")} == calm
