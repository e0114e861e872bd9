"""digitlens serve: what it refuses, what it says, and how it ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.mail.directory import load_directory

MORTAL = str(Path(__file__).parents[1] / "mortal.py")

# Tests may not connect; processes they start may, to this machine.
SCRIPT = r"""
import http.client, json, os, re, signal, subprocess, sys, threading

# Were the silent connection waited for, the lab's last thread would end it, with another code.
lab = (
    "from digitlens.cli import main; from digitlens.server import serve;"
    "serve.SHUTDOWN_SECONDS = 3600; main(['serve', '--port', '0'])"
)
server = subprocess.Popen(
    [sys.executable, sys.argv[2], sys.executable, "-c", lab], stderr=subprocess.PIPE, text=True
)
told = server.stderr.readline()
host, port = re.search(r"http://([\d.]+):(\d+)/", told).groups()
body = bytes.fromhex(sys.argv[1])
answered, broken, refused = [0] * 8, [], []
enough = threading.Semaphore(0)

def ask(at):
    try:
        connection = http.client.HTTPConnection(host, int(port), timeout=100)
        while True:
            try:
                connection.request("POST", "/v1/predict", body, {"Content-Type": "image/png"})
                answer = connection.getresponse()
            except (ConnectionError, http.client.RemoteDisconnected) as error:
                refused.append(repr(error))  # not begun: closed between two requests
                return
            text = answer.read()
            if answer.status != 200:
                broken.append([answer.status, text.decode()])
                return
            json.loads(text)
            answered[at] += 1
            if answered[at] == 5:
                enough.release()
    except Exception as error:
        broken.append(repr(error))

# One connection that never says anything must not keep the lab from ending.
import socket
idle = socket.create_connection((host, int(port)))
threads = [threading.Thread(target=ask, args=(at,)) for at in range(8)]
for each in threads: each.start()
for _ in threads: enough.acquire()
server.send_signal(signal.SIGTERM)
code = server.wait(timeout=100)
for each in threads: each.join(100)
print(json.dumps({
    "code": code, "told": told, "rest": server.stderr.read(), "answered": sum(answered),
    "broken": broken, "stopped": len(refused),
}))
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return how a lab fared that got SIGTERM while eight clients asked without a pause."""
    import io

    import numpy as np
    from PIL import Image

    pixels = np.full((56, 56), 255, np.uint8)
    pixels[10:46, 26:32] = 0
    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "PNG")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, into.getvalue().hex(), MORTAL],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path_factory.mktemp("served"),
        timeout=600,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_sigterm_under_load_ends_with_every_answer_whole(ended: dict[str, Any]) -> None:
    """No request that was begun is cut off: clients saw whole answers, then a closed door.

    A connection that says nothing is not waited for.
    """
    assert ended["code"] == 0
    assert ended["broken"] == []
    assert ended["answered"] >= 40
    assert ended["stopped"] == 8


def test_it_says_where_it_is_and_that_it_has_ended(ended: dict[str, Any]) -> None:
    """The address comes first on stderr, and last that it is closed; no traceback."""
    assert ended["told"].startswith("the lab is open at http://127.0.0.1:")
    assert ended["rest"].splitlines()[-1] == "the lab is closed"
    assert "Traceback" not in ended["rest"]


HANGS = r"""
import http.client, os, re, signal, sys, threading, time
from digitlens.cli import main
from digitlens.server import serve, state
from digitlens.server.networks import NetworkStore

serve.SHUTDOWN_SECONDS = 0.1
begun = threading.Event()

def hang(*_):
    begun.set()
    threading.Event().wait()

NetworkStore.list_all = hang
ready = serve.Server.startup

async def startup(self, sockets=None):
    await ready(self, sockets)
    port = sockets[0].getsockname()[1]
    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/v1/networks")
        begun.wait()
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=ask, daemon=True).start()

serve.Server.startup = startup
main(["serve", "--port", "0"])
"""


def test_sigterm_ends_a_lab_whose_threads_hang(tmp_path: Path) -> None:
    """Work that never ends, as on a disk that does not answer, does not keep the process."""
    done = subprocess.run(
        [sys.executable, "-c", HANGS],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == "the lab is closed"


def test_other_hosts_want_a_token(digitlens: Callable[..., Any]) -> None:
    """A host that others can reach is refused without a token, as wrong usage."""
    ended = digitlens("serve", "--host", "0.0.0.0")
    assert ended.code == 2
    assert ended.err.startswith("error: other machines can reach 0.0.0.0: a --token is needed")
    assert "secrets.token_urlsafe" in ended.err


def test_a_short_token_is_refused(
    digitlens: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that is easily guessed is refused, wherever it was given."""
    assert digitlens("serve", "--token", "short").code == 2
    monkeypatch.setenv("DIGITLENS_TOKEN", "short")
    ended = digitlens("serve")
    assert ended.code == 2
    assert "seen    5 characters" in ended.err


def test_a_port_that_is_taken_is_said(digitlens: Callable[..., Any], in_tmp: Path) -> None:
    """Who finds the port taken is told so, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = digitlens("serve", "--port", taken.getsockname()[1])
    assert ended.code == 2
    assert "Address already in use" in ended.err
    assert "--port 0" in ended.err
    assert list(in_tmp.iterdir()) == []


def test_a_host_of_another_machine_is_said(digitlens: Callable[..., Any]) -> None:
    """An address that this machine does not have is refused in words."""
    ended = digitlens("serve", "--host", "192.0.2.1", "--token", "x" * 16)
    assert ended.code == 2
    assert "cannot be listened to" in ended.err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--trays", "trays"], 2, "mail is reviewed with --trays and --plan"),
        (["--plan", "plan.toml"], 2, "mail is reviewed with --trays and --plan"),
        (["--trays", "trays", "--plan", "none.toml"], 1, "there is no file none.toml"),
        (["--trays", "trays", "--plan", "bad.toml"], 1, "bad.toml is not TOML"),
        (["--trays", "trays", "--plan", "plan.toml"], 1, "nothing was sorted into trays"),
    ],
)
def test_trays_that_cannot_be_reviewed_are_said(
    digitlens: Callable[..., Any], in_tmp: Path, options: list[str], code: int, said: str
) -> None:
    """No plan, a damaged one and a folder without sorted mail are told before it starts."""
    pytest.importorskip("zipcodes")
    (in_tmp / "plan.toml").write_text('default = "rest"\n[trays]\n')
    (in_tmp / "bad.toml").write_text("= 3")
    ended = digitlens("serve", "--port", "0", *options)
    assert (ended.code, ended.err.splitlines()[0].startswith(f"error: {said}")) == (code, True)


def test_trays_want_the_extra_mail(
    digitlens: Callable[..., Any], in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the directory of ZIPs it is said how to get it, before anything starts."""
    load_directory.cache_clear()
    monkeypatch.setitem(sys.modules, "zipcodes", None)
    (in_tmp / "plan.toml").write_text('default = "rest"\n[trays]\n')
    ended = digitlens("serve", "--trays", "trays", "--plan", "plan.toml")
    assert ended.code == 1
    assert "the directory of ZIPs wants the extra 'mail'" in ended.err


STUCK = r"""
import os, signal
from pathlib import Path
from digitlens.server import serve
from digitlens.server.settings import ServerSettings

serve.LAST_SECONDS = 0.1

def get_stuck(_address):
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        pass

serve.serve(ServerSettings(Path("."), port=0), get_stuck)
"""


def test_sigterm_ends_a_lab_whose_event_loop_is_stuck(tmp_path: Path) -> None:
    """The last that ends it is a thread of its own."""
    done = subprocess.run([sys.executable, "-c", STUCK], check=False, cwd=tmp_path, timeout=300)
    assert done.returncode == 1
