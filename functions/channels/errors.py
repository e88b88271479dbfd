"""What can go wrong with a channel, by what to do about it."""


class ChannelError(Exception):
    """The channel did not take the alert. The text names codes, never an address."""


class Refused(ChannelError):
    """It will not take it however often it is asked: a person must mend the channel."""


class Overloaded(ChannelError):
    """It gets too much, from us or from others."""


class Unavailable(ChannelError):
    """It did not answer, or has a fault of its own: later it may take it."""
