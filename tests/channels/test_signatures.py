"""Signatures of the channels, against published and independently computed vectors."""

import pytest

from functions.channels import Refused, dingtalk, feishu, webhook


def test_feishu_signs_an_empty_message_with_timestamp_and_secret() -> None:
    """open.feishu.cn/document/client-docs/bot-v3/add-custom-bot; computed with openssl."""
    assert feishu.signature("1767578400", "bot-secret") == "TtJxtNVm0Nv8J0EMFDjf0EGsri3PLieUe15xnwI4gmc="


def test_dingtalk_signs_timestamp_and_secret_with_the_secret() -> None:
    """open.dingtalk.com, customize-robot-security-settings: its sample's secret; computed with openssl."""
    assert (
        dingtalk.signature("1577262236757", "this is secret")
        == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    )


def test_a_webhook_is_signed_as_the_standard_webhooks_libraries_do() -> None:
    """The vector of the reference implementations' tests."""
    signed = webhook.signature(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert signed == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_key_that_is_no_base64_is_refused_without_being_quoted() -> None:
    with pytest.raises(Refused) as refused:
        webhook.signature("id", "1", b"{}", "whsec_???")
    assert "???" not in str(refused.value)
