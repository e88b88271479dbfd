"""Logs and metrics: structured log lines and embedded-format metrics on standard output.

No tracer: importing it costs more than everything else that a function does at its start.
Never log review or chat texts, phone numbers, sessions or keys.
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["MetricUnit", "count", "logger", "metrics", "observed", "seconds"]

_SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "winback"
_NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "Winback"

logger = Logger(service=_SERVICE)
metrics = Metrics(service=_SERVICE, namespace=_NAMESPACE)

Handler = Callable[[dict[str, Any], Any], Any]


def count(name: str, value: int = 1) -> None:
    """Add `value` to this invocation's metric `name`."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def seconds(name: str, value: float) -> None:
    """Record one duration in seconds under the metric `name`."""
    metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)


def observed(handler: Handler) -> Handler:
    """Decorate a Lambda handler: request id on every log line, metrics flushed at its end.

    Like Powertools' `log_metrics`, but silent when there is nothing to flush, which is usual here.
    """
    traced = logger.inject_lambda_context(handler)

    @wraps(handler)
    def observing(event: dict[str, Any], context: Any) -> Any:
        try:
            return traced(event, context)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()

    return observing
