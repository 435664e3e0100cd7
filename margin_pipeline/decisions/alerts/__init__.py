"""When alerts are raised, escalated and cleared.

Belongs here: the rules, from figures and the alerts that stand to the changes. Not here: storing alerts (`storage.alerts`), telling people.
"""

from margin_pipeline.decisions.alerts.evaluation import CLEARED_COLUMNS, RAISED_COLUMNS, AlertChanges, evaluate
from margin_pipeline.decisions.alerts.failures import FAILED_CHECK, failed_checks
from margin_pipeline.decisions.alerts.judgement import Condition, Judgement
from margin_pipeline.decisions.alerts.watched import Watched, judgements

__all__ = [
    "CLEARED_COLUMNS",
    "FAILED_CHECK",
    "RAISED_COLUMNS",
    "AlertChanges",
    "Condition",
    "Judgement",
    "Watched",
    "evaluate",
    "failed_checks",
    "judgements",
]
