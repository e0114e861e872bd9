"""digitlens doctor: whether everything is here that is needed."""

from __future__ import annotations

import typer

from digitlens.cli.console import JsonOption, announce, echo, echo_json

BROKEN = 1


def doctor(
    as_json: JsonOption = False,
) -> None:
    """Check Python, packages, data, cache and engine.

    Nothing is downloaded. The exit code is 1 when something that is needed is broken."""
    from dataclasses import asdict

    from digitlens.cli.checks import examine

    findings = examine()
    if as_json:
        echo_json([asdict(finding) for finding in findings])
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            echo(f"{finding.state:6}  {finding.name:{width}}  {finding.seen}")
            if finding.advice:
                echo(f"{'':6}  {'':{width}}  try: {finding.advice}")
    broken = [finding.name for finding in findings if finding.state == "broken"]
    if broken:
        announce(f"broken: {', '.join(broken)}")
        raise typer.Exit(BROKEN)
