"""What is deployed: manifests that are whole, and name what this repository has."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from digitlens.cli.app import root
from digitlens.cli.console import SOME_REJECTED
from digitlens.workers import MEMORY_LIMIT

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
                line, _, otherwise = args[0].partition(" || ")
                name, *args = shlex.split(line)
                assert (name, otherwise) == ("digitlens", f"test $? = {SOME_REJECTED}")
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


def test_the_image_follows_the_rules_of_images() -> None:
    """Bases with a version, commands as arrays, no rights or secrets, nothing left over."""
    steps = dockerfile()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = project["requires-python"].removeprefix(">=")
    bases = [rest.split() for step, rest in steps if step == "FROM"]
    assert all(re.fullmatch(rf"python:{re.escape(least)}-[a-z-]+", base[0]) for base in bases)
    names = {base[2] for base in bases if base[1:2] == ["AS"]}
    assert {step for step, _ in steps} <= {
        *("FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "EXPOSE"),
        *("HEALTHCHECK", "ENTRYPOINT", "CMD"),
    }
    for step, rest in steps:
        match step:
            case "CMD" | "ENTRYPOINT":
                assert isinstance(rest, list)
            case "WORKDIR":
                assert rest.startswith("/")
            case "RUN":
                assert not re.search(r"\bsudo\b|\bcd |apt-get(?!.*rm -rf /var/lib/apt)", rest)
                assert "pip install" not in rest or {"--no-cache-dir", "--constraint"} <= {
                    *rest.split()
                }
            case "COPY" if rest.startswith("--from="):
                assert rest.split()[0].removeprefix("--from=") in names
            case "ENV":
                assert not re.search("token|password|secret", rest, re.IGNORECASE)
    after = [step for step, _ in steps][[step for step, _ in steps].index("USER") :]
    assert not {"RUN", "COPY"} & {*after}, "what is run as that user changes no file of ours"


def test_the_health_check_asks_what_is_served() -> None:
    """It is Python that parses, and asks the port that is exposed and that serve listens to."""
    steps = dict(dockerfile())
    (port,) = [item.default for item in root().commands["serve"].params if item.name == "port"]
    check = yaml.safe_load(steps["HEALTHCHECK"].partition(" CMD ")[2])
    compile(check[2], "healthcheck", "exec")
    assert f"http://127.0.0.1:{port}/healthz" in check[2]
    assert steps["EXPOSE"] == str(port)
    (_, lab, _) = read("kubernetes/lab.yaml")
    (container,) = lab["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    (compose,) = read("compose.yaml")
    assert compose["services"]["lab"]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.slow
def test_the_package_is_built_from_what_is_copied(tmp_path: Path) -> None:
    """The files that the image copies are all that the build of the package wants."""
    for step, rest in dockerfile():
        if step == "COPY" and "--from" not in rest:
            for name in rest.split()[:-1]:
                (tmp_path / name).parent.mkdir(exist_ok=True)
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, tmp_path / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    env = os.environ | {"PYTHONPATH": str(target)}
    words = [sys.executable, "-m", "digitlens", "doctor"]
    ended = subprocess.run(
        words, env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


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
            limits, requests = (container["resources"][key] for key in ("limits", "requests"))
            assert {"cpu", "memory"} == set(limits) == set(requests)
            assert size(requests["memory"]) <= size(limits["memory"])
            assert float(requests["cpu"]) <= float(limits["cpu"])


POD = {"automountServiceAccountToken", "containers", "restartPolicy", "securityContext"}
POD |= {"terminationGracePeriodSeconds", "volumes"}
CONTAINER = {"args", "command", "env", "image", "livenessProbe", "name", "ports"}
CONTAINER |= {"readinessProbe", "resources", "securityContext", "volumeMounts"}


def size(text: str) -> float:
    """Return the bytes that a quantity of Kubernetes stands for."""
    units = {"Mi": 1 << 20, "Gi": 1 << 30}
    return float(text[:-2]) * units[text[-2:]]


def test_manifests_have_keys_that_kubernetes_knows() -> None:
    """A key with a slip in it would be passed over in silence."""
    kinds = {("v1", "PersistentVolumeClaim"), ("v1", "Service")}
    kinds |= {("apps/v1", "Deployment"), ("batch/v1", "Job")}
    for name in ("kubernetes/lab.yaml", "kubernetes/batch.yaml"):
        for document in read(name):
            assert (document["apiVersion"], document["kind"]) in kinds
            assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
    for pod in pods():
        assert set(pod) <= POD
        assert all(set(container) <= CONTAINER for container in pod["containers"])


def test_the_lab_is_probed_and_ends_in_peace() -> None:
    """It gets no requests until it answers, is begun anew when it does not, and may finish."""
    (_, lab, _) = read("kubernetes/lab.yaml")
    pod = lab["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    ports = {port["name"] for port in container["ports"]}
    ready, alive = container["readinessProbe"], container["livenessProbe"]
    for probe in (ready, alive):
        assert probe["httpGet"]["path"] == "/healthz"
        assert probe["httpGet"]["port"] in ports
    patience = [
        probe["periodSeconds"] * probe.get("failureThreshold", 3) for probe in (ready, alive)
    ]
    assert patience[0] < patience[1], "it is taken out of the service before it is ended"
    assert pod["terminationGracePeriodSeconds"] > 30
    secrets = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in container["env"]}
    assert set(secrets) == {"DIGITLENS_TOKEN", "DIGITLENS_STORE"}
    (compose,) = read("compose.yaml")
    assert set(compose["services"]["lab"]["environment"]) == set(secrets)


def test_compose_gives_no_right_that_is_not_needed() -> None:
    """Disks that are only read, no rights, no secret in it, no port beyond this machine."""
    (compose,) = read("compose.yaml")
    for service in compose["services"].values():
        assert re.search(":[0-9]", service["image"]) or "build" in service
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for key, value in service["environment"].items():
            if re.search("TOKEN|PASSWORD|STORE", key):
                assert ":?" in value, "it is asked for, and has no default"
        if service["image"] == "digitlens":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in compose["services"]["database"]


def test_a_job_has_as_many_shards_as_pods() -> None:
    """The shards that the pods compute are 1/N to N/N, and N is how many there are."""
    (job,) = read("kubernetes/batch.yaml")
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    line = spec["template"]["spec"]["containers"][0]["args"][0]
    shard = re.search(r'--shard "\$\(\(JOB_COMPLETION_INDEX \+ 1\)\)/(\d+)"', line)
    assert shard is not None
    assert int(shard[1]) == spec["completions"] == spec["parallelism"]
    assert spec["template"]["spec"]["restartPolicy"] == "OnFailure"
    # A picture that wants too much is an error of its row; the pod has room for one of them.
    (container,) = spec["template"]["spec"]["containers"]
    assert size(container["resources"]["limits"]["memory"]) >= MEMORY_LIMIT + (1 << 29)


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
