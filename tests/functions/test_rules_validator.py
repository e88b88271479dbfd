"""The validator that AppConfig asks before a rollout."""

import json
from base64 import b64encode

import pytest

from functions.rulebook import SHIPPED, RuleError
from functions.rulebook.files import files_of, packed
from functions.rules_validator import FaultyRules, handler
from tests.events import CONTEXT


def asked(document: str) -> dict[str, str]:
    return {
        "applicationId": "abc",
        "configurationProfileId": "def",
        "configurationVersion": "1",
        "content": b64encode(document.encode()).decode(),
    }


def test_the_shipped_rules_and_the_return_to_the_bundled_ones_pass() -> None:
    handler(asked(packed(files_of(SHIPPED))), CONTEXT)
    handler(asked(packed(None)), CONTEXT)


def test_faults_are_named_with_file_line_and_mend() -> None:
    files = dict(files_of(SHIPPED))
    files["remedies.toml"] = files["remedies.toml"].replace('"> 300.00"', '"(300.00..900.00]"')
    with pytest.raises(FaultyRules, match=r"remedies\.toml:\d+: .*order_value > 900\.00"):
        handler(asked(packed(files)), CONTEXT)


def test_many_faults_are_told_in_part() -> None:
    files = {name: text for name, text in files_of(SHIPPED).items() if "/" not in name}
    files = {name: text.replace("why = ", "reason = ") for name, text in files.items()}
    with pytest.raises(FaultyRules, match=r"and \d+ more$"):
        handler(asked(packed(files)), CONTEXT)


def test_what_is_no_rulebook_is_refused() -> None:
    with pytest.raises(RuleError, match="winback rules push"):
        handler(asked(json.dumps({"grades": "a"})), CONTEXT)
