"""Effects: how each kind of effect in a case's outbox is performed.

Every performer takes a case as it stands and one entry of its outbox, checks again whether it may still
happen, and answers with what came of it: `Done` or `Held` (functions/domain/outbox.py). It never writes the
case. It may be called again for the same entry at any time, so repeating it does no harm.
"""
