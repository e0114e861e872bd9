"""Counts and times, in the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

TIME_BOUNDS = (
    *(0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06),
    *(0.125, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0),
)
BATCH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """Values counted by size; one that equals an upper bound counts below it."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count `value`."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def format_lines(self, name: str, labels: str = "") -> Iterable[str]:
        """Return its lines in Prometheus' format, in which counts are cumulative."""
        below = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            below += count
            inner = ",".join(part for part in (labels, f'le="{bound}"') if part)
            yield f"{name}_bucket{{{inner}}} {below}"
        rest = f"{{{labels}}}" if labels else ""
        yield f"{name}_sum{rest} {self.total:.6f}"
        yield f"{name}_count{rest} {below}"


class Metrics:
    """The counts of one lab.

    The event loop's thread changes its numbers, the batch thread those of batches; a reader
    may see one a moment before the other.
    """

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], int] = {}
        self.times: dict[str, Histogram] = {}
        self.batches = Histogram(BATCH_BOUNDS)
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.running = 0

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request by the template of its address."""
        key = (route, method, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        self.times.setdefault(route, Histogram(TIME_BOUNDS)).observe(seconds)

    def add_gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Add a number that is read whenever the metrics are."""
        self.gauges[name] = (about, read)

    def as_text(self) -> str:
        """Return all of it in Prometheus' format."""
        # counters -> histograms -> gauges
        lines = _header("digitlens_requests_total", "counter", "Requests answered.")
        lines += [
            f'digitlens_requests_total{{route="{route}",method="{method}",status="{status}"}} '
            f"{count}"
            for (route, method, status), count in sorted(self.requests.items())
        ]
        name = "digitlens_request_seconds"
        lines += _header(name, "histogram", "From a request's head to the end of its answer.")
        for route, times in sorted(self.times.items()):
            lines += times.format_lines(name, f'route="{route}"')
        name = "digitlens_batch_pictures"
        lines += _header(name, "histogram", "Pictures that were answered in one batch.")
        lines += self.batches.format_lines(name)
        lines += _header("digitlens_requests_running", "gauge", "Requests being answered.")
        lines.append(f"digitlens_requests_running {self.running}")
        for name, (about, read) in self.gauges.items():
            lines += _header(name, "gauge", about)
            lines.append(f"{name} {read():.10g}")
        return "\n".join(lines) + "\n"


def _header(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def resident_bytes() -> float:
    """Return how much memory this process holds; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
