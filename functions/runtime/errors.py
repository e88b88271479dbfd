"""Errors that the store raises and the APIs answer."""


class Unknown(LookupError):
    """What was asked for does not exist."""
