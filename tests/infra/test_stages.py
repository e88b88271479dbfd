"""Stages: the differences that are meant, and mistakes in the context."""

import pytest

from functions.domain.alerts import LINK_LENGTH
from functions.domain.links import TOKEN_LENGTH
from infra import synth
from infra.stages import LINK_PREFIX, LinkTooLongError, UnknownStageError
from tests.infra.deployed import Deployed


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownStageError, match=r"'staging' does not exist; choose one of dev, prod, local"):
        synth.synthesise(stage="staging")


def test_time_is_compressed_locally_only(prod: Deployed) -> None:
    compressed = Deployed(synth.synthesise(stage="local", time_scale="0.001", time_floor_s="2"))
    told = compressed.functions()["case_events"]["Environment"]["Variables"]
    assert (told["WINBACK_TIME_SCALE"], told["WINBACK_TIME_FLOOR_S"]) == ("0.001", "2")
    told = prod.functions()["case_events"]["Environment"]["Variables"]
    assert not {"WINBACK_TIME_SCALE", "WINBACK_TIME_FLOOR_S"} & told.keys()


def test_alerts_link_to_the_api_unless_told_otherwise(prod: Deployed) -> None:
    (api,) = prod.of("ApiGatewayV2::Api")
    link = prod.functions()["case_events"]["Environment"]["Variables"]["WINBACK_CASE_LINK"]
    assert link == {"Fn::Join": ["", [{"Fn::GetAtt": [api, "ApiEndpoint"]}, "/p/"]]}
    told = Deployed(synth.synthesise(stage="prod", case_link="https://desk.example.com/c/"))
    link = told.functions()["case_events"]["Environment"]["Variables"]["WINBACK_CASE_LINK"]
    assert link == "https://desk.example.com/c/"


def test_a_link_too_long_for_a_text_message_is_not_deployed() -> None:
    assert LINK_PREFIX + TOKEN_LENGTH == LINK_LENGTH
    with pytest.raises(LinkTooLongError, match="66 characters"):
        synth.synthesise(stage="prod", case_link="https://desk.example.com/".ljust(66, "c"))


def test_the_outputs_name_what_others_need(stack: Deployed) -> None:
    assert set(stack.outputs) >= {
        "ApiUrl",
        "ShopsTable",
        "CustomersTable",
        "CasesTable",
        "ReviewsQueueUrl",
        "AlertsTopicArn",
        "MessagesTopicArn",
        "FollowUpArn",
        "SupervisorPolicyArn",
        "ShopSystemPolicyArn",
    }
