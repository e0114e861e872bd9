"""Traces of requests for OpenTelemetry, where its package is installed.

Only its API is used, which does nothing by itself: where traces go is said by the program that
starts the lab, as ``opentelemetry-instrument digitlens serve`` does.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tracing:
    """Makes a span of each request; `tracer` is OpenTelemetry's, None where it is not there."""

    def __init__(self, tracer: Any = None) -> None:
        self.tracer = tracer

    @contextmanager
    def span(self, scope: Any) -> Iterator[dict[str, Any]]:
        """Trace what is inside as one request, with the attributes that are put into the dict.

        It belongs to the trace that the caller names in its header ``traceparent``.
        """
        attributes: dict[str, Any] = {}
        if self.tracer is None:
            yield attributes
            return
        from opentelemetry import propagate, trace

        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        with self.tracer.start_as_current_span(
            scope["method"], context=propagate.extract(headers), kind=trace.SpanKind.SERVER
        ) as span:
            try:
                yield attributes
            finally:
                # The address as it is documented: names of ours, and no more of them.
                span.update_name(
                    f"{attributes['http.request.method']} {attributes['http.route']}"
                )
                span.set_attributes(attributes)
                # As OpenTelemetry's conventions for HTTP servers have it: a client's fault is
                # no error of the service.
                if attributes["http.response.status_code"] >= 500:
                    span.set_status(trace.StatusCode.ERROR)


def find_tracer() -> Any:
    """Return OpenTelemetry's tracer of this package; None where it is not installed."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace.get_tracer("digitlens")
