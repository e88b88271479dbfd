"""Credentials: secrets from Secrets Manager, kept for a few minutes so that polling stays cheap."""

from datetime import datetime, timedelta

from functions.runtime.clients import client

_KEPT = timedelta(minutes=5)
_cache: dict[str, tuple[datetime, str]] = {}


class MissingSecret(Exception):
    """Secrets Manager has no value under this name."""


def secret(name: str, now: datetime, *, fresh: bool = False) -> str:
    """Return the secret's text, at most five minutes old, or read at once when `fresh`.

    Raises MissingSecret when there is none.
    """
    read_at, text = _cache.get(name, (None, ""))
    if not fresh and read_at and now - read_at < _KEPT:
        return text
    secrets = client("secretsmanager")
    try:
        text = secrets.get_secret_value(SecretId=name).get("SecretString", "")
    except secrets.exceptions.ResourceNotFoundException as error:
        raise MissingSecret(f"Secrets Manager has no secret named {name}") from error
    _cache[name] = (now, text)
    return text


def forget() -> None:
    """Drop what is cached: the next look reads again."""
    _cache.clear()
