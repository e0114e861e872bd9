"""Requests are traced where OpenTelemetry is installed."""

from __future__ import annotations

from typing import Any

import pytest

from digitlens.server.middleware import find_tracer, trace_request


def test_a_request_is_a_span_of_its_callers_trace(lab: Any) -> None:
    """It bears the documented address and the status, and no name that a client invents."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import SpanKind

    exporter, provider = InMemorySpanExporter(), sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    lab.lab._app.tracer = provider.get_tracer("digitlens")
    lab.get("/healthz", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    lab.get("/no/such/address")
    lab.post("/v1/mail/claim", json={"person": "ann"})
    first, second, third = exporter.get_finished_spans()
    assert (first.name, second.name) == ("GET /healthz", "GET other")
    assert first.kind is second.kind is SpanKind.SERVER
    assert f"{first.context.trace_id:032x}" == "ab" * 16
    assert f"{first.parent.span_id:016x}" == "cd" * 8
    assert second.parent is None
    attributes = [dict(span.attributes) for span in (first, second)]
    assert [item["http.response.status_code"] for item in attributes] == [200, 404]
    assert third.attributes["http.response.status_code"] == 503
    assert [span.status.is_ok for span in (first, second, third)] == [True, True, False]
    assert not any("no/such" in str(item) for item in attributes)


def test_the_tracer_is_that_of_the_program() -> None:
    """Where the package is installed its tracer is asked for; it does nothing by itself."""
    pytest.importorskip("opentelemetry.trace")
    with find_tracer().start_as_current_span("nothing") as span:
        assert not span.is_recording()


def test_without_it_nothing_is_traced() -> None:
    """Where the package is not installed a request is answered all the same."""
    with trace_request(None, {}) as attributes:
        attributes["http.route"] = "/healthz"
    assert attributes == {"http.route": "/healthz"}
