"""Tags of runs.

Belongs here: those that several modules read. Not here: those of one module alone.
"""

PARTITION_TAG = "dagster/partition"
AT_TAG = "margin/at"
"""The instant that a run computes for, in ISO form."""
PARAMETERS_OF_TAG = "margin/parameters_of"
"""The calculation whose stored parameters a run uses."""
BACKFILL_TAG = "dagster/backfill"
QUEUE_TAG = "dagster-celery/queue"
ASKED_FOR = (AT_TAG, PARAMETERS_OF_TAG, BACKFILL_TAG, QUEUE_TAG)
"""What a run is asked for besides its date: one in its place is asked for the same."""
