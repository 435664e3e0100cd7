"""What all lines of one bank have in common.

Belongs here: portfolio, scope, currency and rule version of a line. Not here: any figure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from margin_pipeline.parameters.rule_version import RuleVersion
from margin_pipeline.regulation.line import RegulatoryLine

NOT_YET = "the minimum of Basel III is not in force yet on this date"


@dataclass(frozen=True)
class Form:
    """Makes lines of one portfolio or of the firm."""

    portfolio_id: str
    scope: str
    currency: str
    version: RuleVersion

    def line(self, item: str, reference: str, status: str, **rest: Any) -> RegulatoryLine:
        """A line whose value is a ratio."""
        return RegulatoryLine(self.portfolio_id, self.scope, "basel", item, "ratio", status, reference, self.version, **rest)

    def amount(self, item: str, reference: str, status: str, **rest: Any) -> RegulatoryLine:
        """A line whose value is an amount of money."""
        return RegulatoryLine(self.portfolio_id, self.scope, "basel", item, self.currency, status, reference, self.version, **rest)

    def under(self, version: RuleVersion) -> Form:
        """The same under another file of rules."""
        return replace(self, version=version)
