"""All of Dagster: thin assets, their factory, the IO manager, resources, partitions and automation.

Belongs here: how stages are run, checked and published. Not here: formulas.
"""
