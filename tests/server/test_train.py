"""/v1/train and /v1/runs: one run at a time, told event by event."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from digitlens.server.schemas import RunDetails, RunList, TrainBegun, TrainState

Check = Callable[..., dict[str, Any]]

# Plays the process that trains: says what it was told, two epochs, and how it ended.
FAKE = """
import json, os, signal, sys, time
order = json.loads(sys.stdin.readline())
def say(event, **rest):
    # A signal in the middle of a line would write another line into it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    print(json.dumps({"event": event, **rest}), flush=True)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
def stop(*_):
    say("stopped", words="saved")
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
say("start", steps=4, epochs=2, digits_per_epoch=20, note="note", order=order)
for step in range(5):
    say("step", done=step, steps=4)
if order["network"] == "dense":
    while True:
        time.sleep(0.01)
if order["network"] == "tiny":
    os._exit(9)
if order["network"] == "best":
    print("no json", flush=True)
measured = dict(train_loss=0.5, train_accuracy=0.9)
measured |= dict(validation_loss=None, validation_accuracy=None)
for number in (1, 2):
    say("epoch", epoch=number, **measured, learning_rate=0.1, seconds=1, digits_per_second=20)
say("end", run="x", words="It fits well.", verdict="good", best_epoch=2, misses=1, count=2)
"""


@pytest.fixture
def faked(lab: Any) -> Any:
    """Return the client of a lab in which a script plays the process that trains."""
    lab.state.training.command = (sys.executable, "-c", FAKE)
    return lab


def events(lab: Any, run: str, **rest: Any) -> list[dict[str, Any]]:
    """Return the events of a run, read to their end, each with its id and kind."""
    response = lab.get(f"/v1/train/{run}/events", **rest)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    result = []
    for block in response.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            data = json.loads(fields["data"])
            assert data["event"] == fields["event"]
            result.append({"id": int(fields["id"]), **data})
    return result


def test_a_run_is_told_from_its_start_to_its_end(faked: Any) -> None:
    """Events come in order with rising ids, steps of the past left out, and then it ends."""
    begun = faked.post("/v1/train", json={"network": "quick", "data": "uci", "epochs": 2})
    assert begun.status_code == 202
    TypeAdapter(TrainBegun).validate_python(begun.json())
    run = begun.json()["run"]
    result = events(faked, run)
    kinds = [item["event"] for item in result if item["event"] != "step"]
    assert kinds == ["start", "epoch", "epoch", "end"]
    assert [item["id"] for item in result] == sorted({item["id"] for item in result})
    order = result[0]["order"]
    assert (order["network"], order["data"], order["epochs"]) == ("quick", "uci", 2)
    assert Path(order["out"]).name == run == "quick-1"
    again = events(faked, run)
    assert [item["event"] for item in again] == kinds, "steps of the past are left out"
    state = faked.get("/v1/train").json()
    TypeAdapter(TrainState).validate_python(state)
    assert state["running"] is False
    assert state["events"][-1]["words"] == "It fits well."


def write_run(name: str) -> Path:
    """Write the folder of a run that was stopped."""
    folder = Path("runs/train") / name
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('format = 1\n[run]\nnetwork = "dense"\nseed = 1\n')
    return folder


def test_a_recipe_is_asked_for_in_the_command_lines_words(faked: Any, problem: Check) -> None:
    """Layers and changes of the recipe reach the process that trains; bad ones are 422."""
    wish = {"network": "custom", "data": "uci", "layers": "conv4,pool,dense8"}
    wish |= {"activation": "tanh"}
    wish |= {"learning_rate": 0.01, "batch": 64, "dropout": 0.2, "augment": "light"}
    run = faked.post("/v1/train", json=wish).json()["run"]
    order = events(faked, run)[0]["order"]
    assert order.items() >= wish.items()
    for name, value in (("dropout", 1), ("learning_rate", 0), ("batch", 0), ("layer", "x")):
        problem(faked.post("/v1/train", json=wish | {name: value}), 422)


def test_a_stopped_run_is_resumed_in_its_folder(faked: Any, problem: Check) -> None:
    """The order names the run's own folder, and no other is made; an unknown run is 404."""
    folder = write_run("dense-1")
    run = faked.post("/v1/train", json={"resume": "dense-1"}).json()["run"]
    assert run == "dense-1"
    order = events(faked, run)[0]["order"]
    assert (order["resume"], Path(order["out"]).name) == ("dense-1", folder.name)
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == ["dense-1"]
    problem(faked.post("/v1/train", json={"resume": "other"}), 404)


def test_a_run_is_renamed_and_removed(faked: Any, problem: Check) -> None:
    """A run goes by its new name, never by one that is taken, and then it is gone."""
    write_run("dense-1")
    write_run("dense-2")
    result = faked.post("/v1/runs/dense-1", json={"name": "wide"})
    TypeAdapter(RunDetails).validate_python(result.json())
    assert result.json()["name"] == "wide"
    for taken in ("dense-2", "cnn"):
        problem(faked.post("/v1/runs/wide", json={"name": taken}), 409)
    problem(faked.post("/v1/runs/wide", json={"name": "../x"}), 422)
    problem(faked.post("/v1/runs/dense-1", json={"name": "y"}), 404)
    left = faked.delete("/v1/runs/wide").json()
    assert [item["name"] for item in left["runs"]] == ["dense-2"]
    problem(faked.delete("/v1/runs/wide"), 404)


def test_who_comes_again_hears_only_what_is_new(faked: Any) -> None:
    """With Last-Event-ID, or after=, events up to that one are not told again."""
    run = faked.post("/v1/train", json={"data": "uci"}).json()["run"]
    last = events(faked, run)[-1]["id"]
    rest = events(faked, run, headers={"last-event-id": str(last - 1)})
    assert [item["event"] for item in rest] == ["end"]
    assert events(faked, run, params={"after": last - 2})[0]["event"] == "epoch"


def test_one_run_at_a_time_and_it_can_be_stopped(faked: Any, problem: Check) -> None:
    """A second run is 409 while one is under way; DELETE stops it, and its events say so."""
    run = faked.post("/v1/train", json={"network": "dense", "data": "uci"}).json()["run"]
    problem(faked.post("/v1/train", json={"data": "uci"}), 409)
    problem(faked.delete("/v1/train/other-1"), 404)
    assert faked.get("/v1/train").json()["running"] is True
    following = faked.begin("GET", f"/v1/train/{run}/events")
    # The script stops by a signal once it has said that it began.
    faked.run(wait_for(faked, "start"))
    assert faked.delete(f"/v1/train/{run}").status_code == 202
    assert "event: stopped" in following.result(30).text
    faked.run(over(faked))
    problem(faked.delete(f"/v1/train/{run}"), 404)
    assert faked.post("/v1/train", json={"data": "uci"}).status_code == 202


async def wait_for(lab: Any, kind: str) -> None:
    """Wait until an event of that kind was told."""
    import asyncio

    while not any(item["event"] == kind for item in lab.state.training.events):
        await asyncio.sleep(0.005)


async def over(lab: Any) -> None:
    """Wait until nothing is trained and the process has gone."""
    await lab.state.training.wait()


@pytest.mark.parametrize(("network", "seen"), [("tiny", "exit code 9"), ("best", "JSON")])
def test_a_process_that_fails_is_told(faked: Any, network: str, seen: str) -> None:
    """A training process that is killed or talks nonsense is an event with its problem."""
    run = faked.post("/v1/train", json={"network": network, "data": "uci"}).json()["run"]
    last = events(faked, run)[-1]
    assert last["event"] == "failed"
    assert seen in str(last["problem"])
    faked.run(over(faked))
    assert not Path("runs/train", run).exists(), "a run that came to nothing leaves nothing"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"network": "denze"}, 400),
        ({"data": "/etc"}, 400),
        ({"data": "../elsewhere"}, 400),
        ({"from": "nothing"}, 404),
        ({"from": "../cnn"}, 404),
        ({"epochs": 0}, 422),
        ({"share": 0}, 422),
        ({"share": "NaN"}, 422),
        ({"seed": -1}, 422),
        ({"out": "/tmp/x"}, 422),
        ({"network": 7}, 422),
    ],
)
def test_a_request_that_makes_no_sense_begins_nothing(
    faked: Any, problem: Check, body: dict[str, Any], status: int
) -> None:
    """No folder is made and no process begun for a request that cannot be met."""
    problem(faked.post("/v1/train", json=body), status)
    assert not Path("runs").exists()


def test_events_of_an_unknown_run_are_not_found(faked: Any, problem: Check) -> None:
    """Before any run, and for another than the newest, there are no events."""
    problem(faked.get("/v1/train/quick-1/events"), 404)
    assert faked.get("/v1/train").json()["run"] is None


def test_own_digits_and_a_start_are_handed_on_as_paths_of_the_lab(faked: Any) -> None:
    """The name "own" becomes the lab's folder of digits; a published start keeps its name."""
    picture = np.full((28, 28), 9).tolist()
    digit = {"picture": picture, "label": 7}
    faked.post("/v1/own", json={"digits": [digit], "frame": False})
    body = {"network": "cnn", "data": "own", "from": "cnn"}
    run = faked.post("/v1/train", json=body).json()["run"]
    order = events(faked, run)[0]["order"]
    assert Path(order["data"]) == Path.cwd() / "runs" / "own"
    assert order["start"] == "cnn"


def test_closing_the_lab_stops_its_training(open_lab: Any) -> None:
    """When the lab ends, the process that trains is asked to save, and waited for."""
    with open_lab() as lab:
        lab.state.training.command = (sys.executable, "-c", FAKE)
        lab.post("/v1/train", json={"network": "dense", "data": "uci"})
        lab.run(wait_for(lab, "start"))
        process = lab.state.training._process
    assert process.returncode == 130
    assert lab.state.training.events[-1]["event"] == "stopped"
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_real_run_learns_and_is_listed_everywhere(lab: Any, seven_png: bytes) -> None:
    """Layers of one's own learn a part of the digits, answer, and are opened one by one."""
    layers = "conv8,pool,conv16,pool,dense32"
    body = {"network": "custom", "layers": layers, "data": "uci", "epochs": 2, "share": 0.5}
    run = lab.post("/v1/train", json=body).json()["run"]
    result = events(lab, run)
    assert result[-1]["event"] == "end", result[-1]
    epochs = [item for item in result if item["event"] == "epoch"]
    assert [item["epoch"] for item in epochs] == [1, 2]
    assert epochs[1]["train_loss"] < epochs[0]["train_loss"]
    assert result[-1]["words"]
    TypeAdapter(TrainState).validate_python(lab.get("/v1/train").json())
    listed = lab.get("/v1/runs").json()
    TypeAdapter(RunList).validate_python(listed)
    assert listed["runs"][0]["name"] == run
    assert listed["runs"][0]["finished"] is True
    details = lab.get(f"/v1/runs/{run}").json()
    TypeAdapter(RunDetails).validate_python(details)
    assert [item["epoch"] for item in details["history"]] == [1, 2]
    assert details["words"] == result[-1]["words"]
    assert details["config"]["data"]["limit"] == 647, "half of 1,294"
    assert run in [item["name"] for item in lab.get("/v1/networks").json()["networks"]]
    answer = lab.post(
        "/v1/predict",
        params={"network": run},
        content=seven_png,
        headers={"content-type": "image/png"},
    ).json()["pictures"][0]["answers"][0]
    assert answer["network"] == run
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)
    digit = {"pictures": [np.eye(28, dtype=int).tolist()]}
    asked = {"network": run, "frame": False}
    inside = lab.post("/v1/explain", params=asked | {"layers_only": True}, json=digit).json()
    kinds = [layer["kind"] for layer in inside["layers"]]
    assert kinds == ["convolution", "pooling", "convolution", "pooling", "dense", "dense"]
    for number in range(1, 7):
        cell = asked | {"layer": number, "map": 0}
        assert lab.post("/v1/explain/cell", params=cell, json=digit).status_code == 200


def test_a_run_folder_that_leads_out_of_the_lab_is_not_there(
    lab: Any, problem: Check, tmp_path: Path
) -> None:
    """A link in the folder of runs that leads elsewhere is neither listed nor opened."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "config.toml").write_text("format = 1\n")
    (outside / "metrics.json").write_text("{}")
    (outside / "model.onnx").write_bytes(b"secret")
    runs = Path("runs/train")
    runs.mkdir(parents=True)
    (runs / "link-1").symlink_to(outside)
    assert lab.get("/v1/runs").json() == {"runs": []}
    problem(lab.get("/v1/runs/link-1"), 404)
    problem(lab.get("/v1/networks/link-1"), 404)
    for name in ("..", "%2e%2e", "..%2f..%2foutside", "link-1%00"):
        problem(lab.get(f"/v1/runs/{name}"), 404)


def test_a_browser_that_comes_again_after_the_end_is_sent_away(faked: Any) -> None:
    """Once all was told, the events are 204: an EventSource then asks no more."""
    run = faked.post("/v1/train", json={"data": "uci"}).json()["run"]
    last = events(faked, run)[-1]["id"]
    faked.run(over(faked))
    for after in (last, last + 1, 10**8):
        headers = {"last-event-id": str(after)}
        assert faked.get(f"/v1/train/{run}/events", headers=headers).status_code == 204
    assert [item["event"] for item in events(faked, run)][-1] == "end"
