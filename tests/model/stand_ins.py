"""What stands for the store and the clients while functions run in a world (world.py)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from functions import case_clock, case_events
from functions.domain.links import Keys
from functions.domain.order_systems import OrderSystem
from functions.domain.pace import REAL
from functions.effects import alerts as alert_effects
from functions.effects import messages as message_effects
from functions.effects import money as money_effects
from functions.effects import placing, workflow
from functions.runtime import queues
from functions.store import cases
from tests.builders import SHOP
from tests.model.world import RULES, AlreadyThere, NotThere, World


class Stub:
    """What stands for a module of the store, or for a client."""

    def __init__(self, **does: Any) -> None:
        self.__dict__.update(does)


_current: list[World] = []


def living(world: World) -> None:
    """Let the functions see this world from now on."""
    _current[:] = [world]


def _here(name: str) -> Any:
    return lambda *given, **more: getattr(_current[0], name)(*given, **more)


class InTurn:
    """What stands for a pool of threads: one thing after the other, so that a life can be lived again."""

    def __init__(self, _: int) -> None: ...

    def __enter__(self) -> "InTurn":
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, what: Callable[..., Any], *over: Iterable[Any]) -> Iterator[Any]:
        return map(what, *over)


@contextmanager
def functions() -> Iterator[None]:
    """Put the world in the place of store and clients, for case_events, case_clock and functions/effects."""
    clients = {
        "sns": Stub(publish=_here("publish"), publish_batch=_here("publish_batch")),
        "stepfunctions": Stub(
            start_execution=_here("start_execution"),
            stop_execution=_here("stop_execution"),
            exceptions=Stub(ExecutionAlreadyExists=AlreadyThere, ExecutionDoesNotExist=NotThere),
        ),
    }
    rulebooks, client = Stub(current=lambda: RULES), clients.__getitem__
    shared = {"rulebooks": rulebooks, "pace": lambda: REAL}
    quiet: dict[str, Any] = {"count": lambda *_: None}
    calls = {"client": client, "setting": lambda name: name}
    clock = {"now": lambda: _current[0].now}
    ledger = Stub(state=_here("state"), append=_here("append"))
    shop = OrderSystem(shop_id=SHOP, orders_url="https://orders.example", orders_secret="s")
    keys = Keys(1, {1: b"k" * 16})
    desk = {
        "read": _here("desk"),
        "join": lambda *_: (),
        "incidents_of": lambda _: (),
        "claim": lambda *_: True,
        "hide": _here("hide"),
    }
    patched: list[tuple[Any, dict[str, Any]]] = [
        (
            cases,
            {
                "read_many": _here("read_many"),
                "save": _here("save_case"),
                "unchanged": lambda case: case,
                "on_agenda": _here("on_agenda"),
            },
        ),
        (case_events, quiet | clock | {"seconds": lambda *_: None, "ThreadPoolExecutor": InTurn}),
        (case_clock, shared | quiet | {"seconds": lambda *_: None, "ThreadPoolExecutor": InTurn}),
        (placing, shared | quiet | {"desk": Stub(**desk), "ThreadPoolExecutor": InTurn}),
        (alert_effects, quiet | calls | clock | {"rulebooks": rulebooks, "link_keys": lambda _: keys}),
        (workflow, shared | calls | {"logger": Stub(info=lambda *_, **__: None)}),
        (
            message_effects,
            shared
            | quiet
            | calls
            | {
                "messages": Stub(customer=_here("customer"), claim=_here("claim")),
                "customers": Stub(save=_here("save")),
                "ledger": ledger,
            },
        ),
        (
            money_effects,
            shared
            | quiet
            | {
                "setting": lambda name: name,
                "ledger": ledger,
                "shops": Stub(order_system=lambda *_: shop),
                "queues": Stub(send=_here("send"), Message=queues.Message),
            },
        ),
    ]
    with ExitStack() as stack:
        for module, instead in patched:
            stack.enter_context(patch.multiple(module, **instead))
        yield
