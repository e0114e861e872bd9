"""Killed at any moment, every piece is in exactly one tray or in the queue."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = r'''
import json, os, random, shutil, signal, sys
from pathlib import Path

from digitlens.mail import sorting
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Review, Sorting, sort_folder
from digitlens.mail.sorting.store import open_store
from digitlens.mail.candidates import ZipCandidate
from digitlens.ctc import Line, LineDigit

ROOT, WAY = Path(sys.argv[1]), sys.argv[2]
ZIPS = [f"{index}{index}{index}0{index % 7}" for index in range(10)]
DIRECTORY = Directory(Place(z, "C", ("C",), "NY", "", "STANDARD") for z in ZIPS)
PUBLISHED = ("/mail/sorting/", "digitlens/storage.py")
COUNT, KILLS = 36, 40
rng = random.Random(WAY)

def read(path):
    text = path.read_text()[:5]
    with (ROOT / "log").open("a") as log:
        log.write(path.name + "\n")
    digits = tuple(LineDigit(each, 0.999, (0, 0, 1, 1)) for each in text)
    return [ZipCandidate(Line(text, 0.9999, (0, 0, 9, 9), digits))]

def plan(way):
    return make_plan(DIRECTORY, way)

def work(out):
    chosen = plan("zip3" if (ROOT / "moved").exists() else "first-digit")
    how = Sorting(read, RoutingPolicy(DIRECTORY), chosen, copy=WAY == "copy", move=True)
    sort_folder(ROOT / "mail", out, how)
    if WAY == "review":
        review = Review(out, chosen, DIRECTORY)
        while task := review.claim("ann"):
            review.settle(task, ZIPS[task.piece % 10] if task.piece % 3 else None)

def killed_at(line, out):
    """Run in a process of its own, killed before its `line`-th line of our code."""
    child = os.fork()
    if not child:
        left = line
        def trace(frame, event, _):
            nonlocal left
            if not any(each in frame.f_code.co_filename for each in PUBLISHED):
                return None
            if event == "line":
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace
        try:
            sys.settrace(trace)
            work(out)
            sys.settrace(None)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code != 0

def check(out, *, whole):
    """No file is in two folders or half written; when `whole`, all are in their folder."""
    places = {}
    for path in out.glob("*/*"):
        if not path.name.startswith("."):
            places.setdefault(path.name, []).append(path.parent.name)
            assert path.read_text() == (ROOT / "mail" / path.name).read_text(), path
    assert all(len(each) == 1 for each in places.values()), places
    if whole:
        with open_store(out) as store:
            state = store.connection
            rows = {r["filed"]: [r["tray"]] for r in state.execute("SELECT * FROM pieces")}
            assert not state.execute("SELECT 1 FROM pieces WHERE placed = 0").fetchone()
        assert places == rows
        assert len(places) == COUNT
        assert not list(out.glob("*/.*"))

(ROOT / "mail").mkdir()
for index in range(COUNT):
    # One in four has a ZIP that is not there, and goes to the queue.
    text = "99998" if index % 4 == 3 else ZIPS[index % 10]
    (ROOT / "mail" / f"{index:02d}.png").write_text(text + " " * index)
kills = rounds = reads = 0
while kills < KILLS:
    rounds += 1
    out = ROOT / f"out{rounds}"
    (ROOT / "log").write_text("")
    (ROOT / "moved").unlink(missing_ok=True)
    reach = 700
    for phase in ("sorted", "moved"):
        if phase == "moved":
            (ROOT / "moved").touch()
        while killed_at(rng.randrange(1, reach), out):
            kills += 1
            reach = int(reach * 1.25)
            check(out, whole=False)
        check(out, whole=True)
    reads = max(reads, len((ROOT / "log").read_text().split()))
print(json.dumps({"kills": kills, "rounds": rounds, "reads": reads}))
'''


@pytest.mark.parametrize("way", ["link", "copy", "review"])
def test_a_kill_at_any_line_loses_and_doubles_nothing(tmp_path: Path, way: str) -> None:
    """Killed at 40 random lines and run again, the trays hold each piece once, whole."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path), way],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["kills"] >= 40
    assert result["reads"] > 36, "some kills came between reading and writing down"
