"""Requests are traced where OpenTelemetry is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from digitlens.server.tracing import Tracing

trace = pytest.importorskip("opentelemetry.trace")


class Tracer:
    """A tracer that keeps what it is told; its spans are their own."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.attributes: list[dict[str, Any]] = []
        self.parents: list[str] = []

    @contextmanager
    def start_as_current_span(self, name: str, *, context: Any, kind: Any) -> Iterator[Any]:
        """Begin a span."""
        assert kind is trace.SpanKind.SERVER
        parent = trace.get_current_span(context).get_span_context()
        self.parents.append(f"{parent.trace_id:032x}")
        yield self

    def update_name(self, name: str) -> None:
        """Name the span."""
        self.names.append(name)

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        """Describe the span."""
        self.attributes.append(attributes)


def test_a_request_is_a_span_of_its_callers_trace(lab: Any) -> None:
    """It bears the documented address and the status, and no name that a client invents."""
    tracer = Tracer()
    lab.lab._app.tracing = Tracing(tracer)
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    lab.get("/healthz", headers={"traceparent": parent})
    lab.get("/no/such/address")
    assert tracer.names == ["GET /healthz", "GET other"]
    assert tracer.parents == ["ab" * 16, "0" * 32]
    assert [item["http.response.status_code"] for item in tracer.attributes] == [200, 404]


def test_without_it_nothing_is_traced() -> None:
    """Where the package is not installed a request is answered all the same."""
    with Tracing().span({}) as attributes:
        attributes["http.route"] = "/healthz"
    assert attributes == {"http.route": "/healthz"}
