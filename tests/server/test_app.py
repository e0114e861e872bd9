"""The API against its own OpenAPI document, and the documents against the API."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import schemathesis.checks
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi import checks

from digitlens import load_digits
from digitlens.errors import MissingDataError
from digitlens.server import digit_sets
from digitlens.server.app import Lab
from digitlens.server.settings import ServerSettings

ROOT = Path(__file__).parents[2]
DOCUMENT = Lab(ServerSettings()).api.openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)

BASE = "http://localhost:8000"

QUICK = """
import json, sys
sys.stdin.readline()
print(json.dumps({"event": "end", "run": "x", "words": "done"}), flush=True)
"""

UNCHECKED = [
    # A picture of random bytes fits the document and is still no picture.
    checks.positive_data_acceptance,
    # Query parameters that nobody asked for are passed over, as everywhere on the web.
    checks.negative_data_rejection,
]


@pytest.fixture(scope="module")
def asked(
    tmp_path_factory: pytest.TempPathFactory,
    lab_client: Any,
    small_mail: Any,
    sort_mail: Callable[..., Path],
) -> Iterator[Any]:
    """Return a client of one lab for all requests; a script plays the process that trains.

    Forty pieces of mail wait for a person there, and their pictures are damaged.
    """
    home = tmp_path_factory.mktemp("lab")
    (home / "mail").mkdir()
    for index in range(40):
        (home / "mail" / f"{index}.png").write_bytes(b"no picture")
    trays = sort_mail(home / "mail", home / "trays")
    lab = Lab(ServerSettings(folder=home), small_mail.open_desk(trays))
    lab.state.training.command = (sys.executable, "-c", QUICK)
    with pytest.MonkeyPatch.context() as patch, lab_client(lab) as client:
        patch.setattr(digit_sets, "load_digits", here)
        yield client


def here(source: str) -> Any:
    """Return the digits that come with digitlens; no others are on this machine."""
    if source != "uci":
        raise MissingDataError(f"{source} is not here")
    return load_digits(source)


@SCHEMA.parametrize()
@settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
def test_answers_are_those_of_the_document(case: Any, asked: Any) -> None:
    """Whatever is sent, the status, the type and the shape of the answer are documented."""
    sent = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    response = asked.request(
        sent.method, sent.url, headers=dict(sent.headers), content=sent.body
    )
    unchecked = [*UNCHECKED]
    if response.status_code == 503:  # no reader and no MNIST is installed: that is documented
        unchecked.append(schemathesis.checks.not_a_server_error)
    case.validate_response(response, excluded_checks=unchecked)


class Links(HTMLParser):
    """What a page loads, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its addresses."""
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_page_of_documents_needs_no_other_host(lab: Any) -> None:
    """/docs names every address and loads one style sheet, from the lab itself."""
    response = lab.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    result = Links()
    result.feed(response.text)
    assert not {"script", "img", "iframe"} & set(result.tags)
    assert all(link.startswith(("/", "#")) for link in result.links)
    assert lab.get("/docs/style.css").headers["content-type"].startswith("text/css")
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in response.text
    assert lab.get("/openapi.json").json() == DOCUMENT


def test_the_written_document_names_every_address() -> None:
    """docs/api.md tells of each address with its method, and of no other."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    known = {
        f"{method.upper()} {path}"
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }
    documented = {
        line.removeprefix("### ").strip("`")
        for line in text.splitlines()
        if line.startswith("### `")
    }
    assert documented == known


def test_there_is_no_page_yet_or_a_whole_one(lab: Any) -> None:
    """Without its page the lab says so as a problem; with it, it is HTML."""
    response = lab.get("/")
    kind = response.headers["content-type"].partition(";")[0]
    assert (response.status_code, kind) in (
        (404, "application/problem+json"),
        (200, "text/html"),
    )
    for path in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", ""):
        assert lab.get(f"/static/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/healthz", "/docs", "/favicon.ico"])
def test_what_is_looked_at_is_asked_after_too(lab: Any, path: str) -> None:
    """HEAD says what GET would; another method is told which ones there are."""
    asked_after = lab.request("HEAD", path)
    assert asked_after.status_code == 200
    assert asked_after.headers["content-type"] == lab.get(path).headers["content-type"]
    refused = lab.request("PUT", path)
    assert refused.status_code == 405
    assert "GET" in refused.headers["allow"]
