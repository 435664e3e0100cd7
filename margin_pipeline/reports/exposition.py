"""Metrics in the text format that Prometheus reads (version 0.0.4).

Belongs here: names, escaping, numbers as text. Not here: what is measured (`margin.pipeline_metrics`, `storage`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import groupby

from margin_pipeline.storage.dagster_state import DagsterState
from margin_pipeline.storage.operations import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "margin_pipeline_"


def exposition(samples: Iterable[Sample]) -> str:
    """Return all values: HELP and TYPE once a metric, then a line a value.

    Parameters
    ----------
    samples : values; those of one metric follow each other. A histogram gives its buckets with label `le`, then `sum` and `count`
        as values of a label `part`.
    """
    lines: list[str] = []
    for metric, values in groupby(samples, key=lambda sample: sample.metric):
        for number, sample in enumerate(values):
            if number == 0:
                lines.append(f"# HELP {PREFIX}{metric} {_help(sample.help)}")
                lines.append(f"# TYPE {PREFIX}{metric} {sample.type}")
            lines.append(f"{PREFIX}{metric}{_suffix(sample)}{_labels(sample.labels)} {_number(sample.value)}")
    return "\n".join(lines) + "\n"


def dagster_samples(state: DagsterState, now: float) -> list[Sample]:
    """Return lags of sensors and daemons; what never ticked has none.

    Parameters
    ----------
    now : instant, seconds since 1970.
    """
    ticked = [t for t in state.tickers if t.kind == "sensor" and t.is_on and t.ticked_at]
    lag, failing = "Seconds since the newest tick of the sensor.", "1: the newest tick of the sensor failed, 0: it did not."
    beat = "Seconds since the daemon was last heard of."
    return [
        *(Sample("sensor_lag_seconds", "gauge", lag, {"sensor": t.name}, now - t.ticked_at.timestamp()) for t in ticked if t.ticked_at),
        *(Sample("sensor_failing", "gauge", failing, {"sensor": t.name}, float(bool(t.failed))) for t in ticked),
        *(Sample("daemon_heartbeat_age_seconds", "gauge", beat, {"daemon": d.name}, now - d.beat_at.timestamp()) for d in state.daemons),
    ]


def _suffix(sample: Sample) -> str:
    if sample.type != "histogram":
        return ""
    return f"_{sample.labels['part']}" if "part" in sample.labels else "_bucket"


def _labels(labels: Mapping[str, str]) -> str:
    shown = ",".join(f'{name}="{_value(value)}"' for name, value in sorted(labels.items()) if name != "part")
    return f"{{{shown}}}" if shown else ""


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
