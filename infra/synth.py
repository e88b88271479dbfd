"""The synthesised template, for whoever wants to know what is deployed without deploying it."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App

from infra.app import build

_CDK = Path(__file__).parents[1] / "cdk.json"


def synthesise(**context: object) -> dict[str, Any]:
    """Return the template that the CDK command line would deploy with this context (stage="prod").

    Nothing is bundled, so no pip runs. Takes about three seconds. Raises RuntimeError for a finding
    of cdk-nag.
    """
    settings = json.loads(_CDK.read_text("utf-8"))["context"]
    with TemporaryDirectory(prefix="winback-synth-") as folder:
        app = App(outdir=folder, context={**settings, **context, "aws:cdk:bundling-stacks": []})
        stack = build(app)
        found: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template
    return found


@cache
def template(stage: str) -> dict[str, Any]:
    """Return the stage's template, made once in this process. Do not change it."""
    return synthesise(stage=stage)
