"""The sample book: invented, deterministic positions over real closes, written as landing folders.

Belongs here: making the files of the sample. Not here: reading or checking them (landing), any rule.
"""

from margin_pipeline.sample.book import write_sample
from margin_pipeline.sample.closes import SAMPLE_DATES

__all__ = ["SAMPLE_DATES", "write_sample"]
