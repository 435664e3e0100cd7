"""What a health check found, in a line each.

Belongs here: findings and their wording as lines or JSON. Not here: looking and judging (`orchestration.health`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    check : its name.
    state : ok, warning (look at it) or failed (not healthy).
    detail : what was found, for people.
    advice : what to do about it; empty: nothing.
    """

    check: str
    state: str
    detail: str
    advice: str = ""


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Whether none of the checks failed."""
    return all(finding.state != FAILED for finding in findings)


def verdict(findings: Sequence[Finding]) -> str:
    """Return the last line: healthy, or which checks say no."""
    failed = [finding.check for finding in findings if finding.state == FAILED]
    warned = [finding.check for finding in findings if finding.state == WARNING]
    noted = f" (look at: {', '.join(warned)})" if warned else ""
    return f"not healthy: {', '.join(failed)}{noted}" if failed else f"healthy{noted}"


def lines(findings: Sequence[Finding]) -> str:
    """Return a line a check, and the verdict."""
    width = max((len(finding.check) for finding in findings), default=0)
    told = [f"{f.state:<7}  {f.check:<{width}}  {' '.join(f.detail.split())}{f'; {f.advice}' if f.advice else ''}" for f in findings]
    return "\n".join([*told, verdict(findings)])


def as_json(findings: Sequence[Finding]) -> str:
    """Return an object with `healthy` and the list of `checks`."""
    return json.dumps({"healthy": is_healthy(findings), "checks": [asdict(f) for f in findings]}, ensure_ascii=False, indent=1)
