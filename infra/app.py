"""The CDK app: `cdk synth -c stage=prod` (infra/stages.py lists the context keys)."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from functions.rulebook import SHIPPED, RuleError
from functions.rulebook.check import check
from infra.stack import Winback
from infra.stages import chosen


def build(app: App) -> Winback:
    """Put the chosen stage's stack into the app. A finding of cdk-nag makes the synthesis fail.

    Raises RuleError for rules with a fault: they must not be deployed.
    """
    if faults := check(SHIPPED):
        raise RuleError("\n".join(map(str, faults)))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return Winback(app, stage=chosen(app.node))


if __name__ == "__main__":
    app = App()
    build(app)
    app.synth()
