"""Ray itself: two of its nodes on this machine, one of which is lost in the middle."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from digitlens.batch import LocalEngine, Rows, list_items, make_ledger, make_request, run_batch
from digitlens.batch.ray_engine import Job, RayEngine, _Pool
from digitlens.cli.doctor import GOLDEN

pytestmark = pytest.mark.slow

COUNT, PART_SIZE = 160, 20
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return Ray, whose processes are ended after the test."""
    reason = 'Ray is not installed: pip install "digitlens[ray]"'
    ray = pytest.importorskip("ray", reason=reason)
    monkeypatch.setenv("RAY_worker_niceness", "0")
    # Its processes find the same digitlens.
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    yield ray
    ray.shutdown()


@pytest.fixture
def cluster(ray: Any) -> Iterator[Any]:
    """Return a cluster of two nodes of one processor each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    try:
        cluster.add_node(**NODE)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def begin(write_digit: Callable[[str], Path]) -> Callable[[str], Any]:
    """Return a function that begins a batch of pictures, some of which are none."""
    # Large, so that a part takes longer than the loss of a node.
    with Image.open(write_digit("m/000.png")) as image:
        image.resize((1000, 1000)).save("m/000.png")
    content = Path("m/000.png").read_bytes()
    for index in range(1, COUNT):
        Path(f"m/{index:03d}.png").write_bytes(b"no picture" if index % 50 == 7 else content)
    source = str(Path("m").absolute())
    request = make_request(Rows("predict", GOLDEN, flat=False), [source], part_size=PART_SIZE)
    return lambda folder: make_ledger(Path(folder), request, list_items([source]))


def test_a_lost_node_changes_no_byte(
    cluster: Any,
    begin: Callable[[str], Any],
    snapshot: Callable[[Path], dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of two nodes is killed while it works: the other makes what one machine makes."""
    rows, lost, split = Rows("predict", GOLDEN, flat=False), [], Job.split
    monkeypatch.setattr(Job, "split", lambda job: lost.append(job) or split(job))
    hand_out = _Pool.hand_out

    def hand_out_and_kill(pool: _Pool, *arguments: Any) -> None:
        hand_out(pool, *arguments)
        if pool.busy == 2 and cluster.worker_nodes:
            (node,) = cluster.worker_nodes
            cluster.remove_node(node, allow_graceful=False)

    monkeypatch.setattr(_Pool, "hand_out", hand_out_and_kill)
    run_batch(begin("two"), rows, RayEngine(cluster.address))
    assert lost, "a job was lost and tried again"
    run_batch(begin("one"), rows, LocalEngine(1))
    assert snapshot(Path("two")) == snapshot(Path("one"))


def test_a_cluster_of_this_machine_gives_the_same_bytes(
    ray: Any, begin: Callable[[str], Any], snapshot: Callable[[Path], dict[str, bytes]]
) -> None:
    """Without an address Ray is begun here; its workers make what processes make."""
    rows = Rows("predict", GOLDEN, flat=False)
    run_batch(begin("ray"), rows, RayEngine(workers=2))
    run_batch(begin("local"), rows, LocalEngine(1))
    assert snapshot(Path("ray")) == snapshot(Path("local"))
