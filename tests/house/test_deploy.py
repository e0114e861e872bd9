"""What is deployed: manifests that are whole, and name what this repository has."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from digitlens.cli.app import root

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read(name: str) -> list[dict[str, Any]]:
    """Return the documents in a file of YAML."""
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


def pods() -> Iterator[dict[str, Any]]:
    """Walk over the pods that Kubernetes is asked for."""
    for name in ("kubernetes/lab.yaml", "kubernetes/batch.yaml"):
        for document in read(name):
            if document["kind"] in ("Deployment", "Job"):
                yield document["spec"]["template"]["spec"]


def commands() -> Iterator[list[str]]:
    """Walk over the commands of digitlens that are run, without its name."""
    for pod in pods():
        for container in pod["containers"]:
            args = container["args"]
            if container.get("command") == ["sh", "-c"]:
                name, *args = shlex.split(args[0])
                assert name == "digitlens"
            yield args
    for service in read("compose.yaml")[0]["services"].values():
        if service["image"] == "digitlens":
            yield service["command"]
    steps = dockerfile()
    yield next(rest for step, rest in reversed(steps) if step == "CMD")


def dockerfile() -> list[tuple[str, Any]]:
    """Return the steps of the Dockerfile; what is an array, as one."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [line.partition(" ") for line in text.splitlines() if re.match("[A-Z]", line)]
    return [
        (step, yaml.safe_load(rest) if rest.startswith("[") else rest)
        for step, _, rest in steps
    ]


def test_what_is_run_is_a_command_with_its_options() -> None:
    """Every command of the image, of compose and of Kubernetes is parsed by digitlens."""
    seen = set()
    for command, *args in commands():
        seen.add(command)
        known = root().commands[command]
        if command == "batch":
            known = known.commands[args.pop(0)]
        known.make_context(command, args)  # an error where an option is unknown
    assert seen == {"serve", "route", "batch"}


def test_the_image_runs_as_nobody_in_particular() -> None:
    """It has a user of its own, a health check, and what is copied into it exists."""
    steps = dockerfile()
    last = [rest for step, rest in steps if step == "USER"][-1]
    assert int(last) > 0
    health = next(rest for step, rest in steps if step == "HEALTHCHECK")
    assert "/healthz" in health
    extras = re.search(r"\[([a-z,]+)\]", next(r for s, r in steps if s == "RUN" and "pip" in r))
    assert extras is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras[1].split(",")) <= set(project["optional-dependencies"])
    copied = {
        name
        for step, rest in steps
        if step == "COPY" and "--from" not in rest
        for name in rest.split()[:-1]
    }
    assert all((ROOT / name).exists() for name in copied)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {f"!{name}" for name in copied} <= set(ignored)


def test_pods_have_no_rights_that_they_do_not_need() -> None:
    """No root, no rights, a disk that is only read but for what is mounted; limits."""
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] is True
            assert rights["allowPrivilegeEscalation"] is False
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
            assert {"cpu", "memory"} <= set(container["resources"]["limits"])


def test_a_job_has_as_many_shards_as_pods() -> None:
    """The shards that the pods compute are 1/N to N/N, and N is how many there are."""
    (job,) = read("kubernetes/batch.yaml")
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    line = spec["template"]["spec"]["containers"][0]["args"][0]
    shard = re.search(r'--shard "\$\(\(JOB_COMPLETION_INDEX \+ 1\)\)/(\d+)"', line)
    assert shard is not None
    assert int(shard[1]) == spec["completions"] == spec["parallelism"]


def test_services_reach_what_they_name() -> None:
    """The service's label is the lab's, and what compose waits for is a service."""
    claim, lab, service = read("kubernetes/lab.yaml")
    labels = lab["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == lab["spec"]["selector"]["matchLabels"] == labels
    names = {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in lab["spec"]["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert names == {claim["metadata"]["name"]}
    (compose,) = read("compose.yaml")
    for item in compose["services"].values():
        assert set(item.get("depends_on", {})) <= set(compose["services"])
    store = compose["services"]["lab"]["environment"]["DIGITLENS_STORE"]
    assert store.endswith("@database/digitlens")
