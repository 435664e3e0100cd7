"""Several machines: Dagster's configuration for Celery, and scripts that try it out on one.

Belongs here: how the pipeline is spread. Not here: the pipeline.
"""
