# mypy: ignore-errors
# None of the engines is installed where the types are checked.
"""Other rule engines on the whole decision of rulebook.py; run by it in their own virtual environment.

Every engine decides the four tables, given as its documentation says it is fastest, and the result is the
same Decision: table, row, reason, outputs, facts and version. Compared are rules that answer row, reason and
outputs, as rules in such an engine do ("answers": "all"). The same rules that only name the row, which we
then look up ourselves ("answers": "row"), are another contest: the engine does less of it. An engine that has
only such a line is slower even so. Rounds alternate with the compiled tables, in the same process. An engine
that is not installed is skipped, saying so.
"""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from functions.domain.decisions import Decision
from functions.rulebook import SHIPPED, Rulebook
from functions.rulebook.table import Row, Table
from tests.bench.rulebook import best, by_tables

TABLES = ("grades", "tiers", "remedies", "goodwill")
Decide = Callable[[dict[str, Any]], Any]  # facts -> the row's id, or {"row", "why", "then"}


def main(path: str) -> None:
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    rules = Rulebook(SHIPPED)
    tables = [rules.table(name) for name in TABLES]
    for (name, answers), engine in ENGINES.items():
        line = {"what": name, "answers": answers}
        try:
            deciders = [engine(table) for table in tables]
        except ImportError as error:
            line["skipped"] = f"not installed: {error.name}"
        else:
            line |= _measured(rules, deciders, **given)
        print(json.dumps(line), flush=True)


def _measured(rules: Rulebook, deciders: list[Decide], inputs: Any, rows: Any) -> dict[str, Any]:
    known = [{row.id: row for row in rules.table(name).rows} for name in TABLES]
    version = rules.version
    grade, tier, remedy, goodwill = deciders

    def decision(place: int, answer: Any, facts: dict[str, Any]) -> Decision:
        if isinstance(answer, dict):
            return Decision(TABLES[place], answer["row"], answer["why"], answer["then"], facts, version)
        row = known[place][answer]
        return Decision(TABLES[place], answer, row.why, row.then, facts, version)

    def whole(given: Any) -> list[Decision]:
        cause, suspected, spent, earlier, days, value = given
        g = {"cause": cause, "suspected_malicious": suspected}
        t = {"spent_12_months": spent, "earlier_orders": earlier, "days_since_earlier_order": days}
        customer = decision(1, tier(t), t)
        m = {"suspected_malicious": suspected, "order_value": value}
        w = {"suspected_malicious": suspected, "tier": customer.then["tier"]}
        return [decision(0, grade(g), g), customer, decision(2, remedy(m), m), decision(3, goodwill(w), w)]

    for one, wanted in zip(inputs, rows, strict=True):
        taken = whole(one)
        got = [decision.row for decision in taken]
        if got != wanted or any(d.then != known[n][d.row].then for n, d in enumerate(taken)):
            raise AssertionError(f"{one}: {got} instead of {wanted}")
    took = best({"engine": whole, "tables": by_tables(rules)}, inputs, rounds=5)
    ratio = round(took["engine"] / took["tables"], 1)
    return {"us": round(took["engine"], 1), "tables_us": round(took["tables"], 2), "to_tables": ratio}


def _ranges(row: Row, table: Table) -> Iterator[tuple[str, str, Any]]:
    """Yield a row's tests as (fact, operator, value); `in` for one of several words."""
    for name, span in row.spans.items():
        kind = table.facts[name]
        if kind.numeric:
            if None in span.values:
                yield name, "null", None
                continue
            if kind.optional:
                yield name, "known", None
            ((low, high),) = span.ranges
            if low == high:
                yield name, "==", int(low)
                continue
            if low != kind.least:
                yield name, ">=", int(low)
            if high != kind.most:
                yield name, "<=", int(high)
        elif len(span.values) == 1:
            yield name, "==", next(iter(span.values))
        else:
            yield name, "in", sorted(span.values, key=str)


def _literal(value: Any) -> str:
    return json.dumps(value)


def _expression(row: Row, table: Table, null: str, true: str = "true") -> str:
    parts = []
    for name, sign, value in _ranges(row, table):
        if sign in ("null", "known"):
            parts.append(f"{name} {'==' if sign == 'null' else '!='} {null}")
        else:
            parts.append(f"{name} {sign} {_literal(value)}")
    return " and ".join(parts) if null != "null&" else " && ".join(parts).replace("null&", "null") or true


def _zen_table(table: Table) -> Decide:
    import zen

    names = list(table.facts)
    content = {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {
                "id": "t",
                "type": "decisionTableNode",
                "name": "t",
                "position": {"x": 0, "y": 0},
                "content": {
                    "hitPolicy": "first",
                    "inputs": [{"id": name, "name": name, "field": name} for name in names],
                    "outputs": [{"id": "row", "name": "row", "field": "row"}],
                    "rules": [
                        {"_id": row.id, "row": _literal(row.id)}
                        | {name: _zen_cell(row, table, name) for name in names}
                        for row in table.rows
                    ],
                },
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
        ],
        "edges": [
            {"id": "a", "sourceId": "in", "targetId": "t", "type": "edge"},
            {"id": "b", "sourceId": "t", "targetId": "out", "type": "edge"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(content))
    return lambda facts: str(decision.evaluate(facts)["result"]["row"])


def _zen_cell(row: Row, table: Table, fact: str) -> str:
    tests = []
    for name, sign, value in _ranges(row, table):
        if name == fact:
            tests.append(
                {"null": "null", "known": "$ != null", "==": _literal(value)}.get(sign)
                or (f"{', '.join(map(_literal, value))}" if sign == "in" else f"{sign} {value}")
            )
    if "$ != null" in tests and len(tests) > 1:
        return " and ".join(["$ != null", *(f"$ {test}" for test in tests if test != "$ != null")])
    return " and ".join(tests)


def _row_id(row: Row) -> Any:
    return row.id


def _outputs(row: Row) -> Any:
    return {"row": row.id, "why": row.why, "then": dict(row.then)}


def _zen_expression(table: Table, answer: Callable[[Row], Any] = _row_id) -> Decide:
    import zen

    text = ""
    for row in table.rows:
        test = _expression(row, table, "null") or "true"
        text += f"{test} ? {_literal(answer(row))} : "
    return zen.compile_expression(text + '"gap"').evaluate


def _cel(table: Table, answer: Callable[[Row], Any] = _row_id) -> Decide:
    from cel import compile as compiled  # common-expression-language, the Rust binding

    text = ""
    for row in table.rows:
        test = _expression(row, table, "null&")
        text += f"({test}) ? {_literal(answer(row))} : "
    return compiled(text + '"gap"').execute


def _rule_engine(table: Table) -> Decide:
    import rule_engine

    context = rule_engine.Context(default_value=None)
    rows = [
        (rule_engine.Rule(_expression(row, table, "null") or "true", context=context), row.id)
        for row in table.rows
    ]

    def decide(facts: dict[str, Any]) -> str:
        return next(row for rule, row in rows if rule.matches(facts))

    return decide


def _json_logic(table: Table) -> Decide:
    from json_logic import jsonLogic

    rule: list[Any] = []
    for row in table.rows:
        tests = []
        for name, sign, value in _ranges(row, table):
            at = {"var": name}
            if sign in ("null", "known"):
                tests.append({"===" if sign == "null" else "!==": [at, None]})
            else:
                tests.append({{"==": "==="}.get(sign, sign): [at, value]})
        rule += [{"and": tests} if tests else True, row.id]
    tree = {"if": [*rule, "gap"]}
    return lambda facts: str(jsonLogic(tree, facts))


def _business_rules(table: Table) -> Decide:
    from business_rules import run_all
    from business_rules.actions import BaseActions, rule_action
    from business_rules.fields import FIELD_TEXT
    from business_rules.variables import (
        BaseVariables,
        boolean_rule_variable,
        numeric_rule_variable,
        string_rule_variable,
    )

    class Given(BaseVariables):  # type: ignore[misc]
        def __init__(self, facts: dict[str, Any]) -> None:
            self.facts = facts

    for name, kind in table.facts.items():
        if kind.name == "bool":
            wrap, read = boolean_rule_variable(), lambda self, name=name: self.facts[name]
        elif kind.numeric:  # it knows no unknown numbers: -1 stands for them
            wrap = numeric_rule_variable()
            read = lambda self, name=name: -1 if self.facts[name] is None else self.facts[name]  # noqa: E731
        else:
            wrap, read = string_rule_variable(), lambda self, name=name: self.facts[name]
        read.__name__ = name
        setattr(Given, name, wrap(read))

    class Answer(BaseActions):  # type: ignore[misc]
        row = "gap"

        @rule_action(params={"row": FIELD_TEXT})
        def answer(self, row: str) -> None:
            self.row = row

    signs = {"==": "equal_to", ">=": "greater_than_or_equal_to", "<=": "less_than_or_equal_to"}
    rules = []
    for row in table.rows:
        tests = []
        for name, sign, value in _ranges(row, table):
            kind = table.facts[name]
            if kind.name == "bool":
                tests.append({"name": name, "operator": "is_true" if value else "is_false", "value": ""})
            elif sign == "null":
                tests.append({"name": name, "operator": "equal_to", "value": -1})
            elif sign == "known":
                tests.append({"name": name, "operator": "greater_than_or_equal_to", "value": 0})
            else:
                tests.append({"name": name, "operator": signs[sign], "value": value})
        first = next(iter(table.facts))
        always = [{"any": _always(first, table)}]
        rules.append(
            {
                "conditions": {"all": tests or always},
                "actions": [{"name": "answer", "params": {"row": row.id}}],
            }
        )

    def decide(facts: dict[str, Any]) -> str:
        answer = Answer()
        run_all(rules, Given(facts), answer, stop_on_first_trigger=True)
        return answer.row

    return decide


def _always(name: str, table: Table) -> list[dict[str, Any]]:
    kind = table.facts[name]
    if kind.name == "bool":
        return [{"name": name, "operator": sign, "value": ""} for sign in ("is_true", "is_false")]
    if kind.numeric:
        return [{"name": name, "operator": "greater_than_or_equal_to", "value": -1}]
    return [{"name": name, "operator": "non_empty", "value": ""}]


ENGINES: dict[tuple[str, str], Callable[[Table], Decide]] = {
    ("zen-engine, expressions", "all"): partial(_zen_expression, answer=_outputs),
    ("zen-engine, expressions", "row"): _zen_expression,
    ("zen-engine, decision tables", "row"): _zen_table,
    ("CEL (common-expression-language, Rust)", "all"): partial(_cel, answer=_outputs),
    ("CEL (common-expression-language, Rust)", "row"): _cel,
    ("rule-engine", "row"): _rule_engine,
    ("json-logic", "row"): _json_logic,
    ("business-rules", "row"): _business_rules,
}

if __name__ == "__main__":
    main(sys.argv[1])
