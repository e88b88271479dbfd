# ruff: noqa: E501  # an edit must stand as it stands in the rules
"""Broken rules: the shipped ones with one edit each, and the fault that the check must find, at its place.

`at` is a piece of text that stands on the faulty line of the edited file, and nowhere else in it.
"""

import re
from typing import NamedTuple


class Broken(NamedTuple):
    kind: str
    file: str
    old: str
    new: str | None  # None: the file is deleted
    at: str = ""
    row: str | None = None
    also: tuple[str, ...] = ()  # kinds that follow from the same edit
    then: tuple[str, str] = ("", "")  # a second edit: a pattern, and what it becomes everywhere


SMALL = 'when = { order_value = "<= 100.00" }'
MEDIUM = 'when = { order_value = "(100.00..300.00]" }'
LARGE = 'when = { order_value = "> 300.00" }'
REFUND = 'then = { remedy = "refund", coupon = "5.00" }'
LATE = 'then = { grade = "logistics_delay", respond_within = "2h"'
REMEDIES, GRADES, TIERS = "remedies.toml", "grades.toml", "tiers.toml"
SHADOWED = """[[row]]
id = "{0}"
why = "w"
source = "s"
when = {{ order_value = "{1}" }}
then = {{ remedy = "none" }}

[[row]]
id = "unknown-order\""""
UNKNOWN = '[[row]]\nid = "unknown-order"'

BROKEN = [
    # the file
    Broken("toml", REMEDIES, SMALL, 'when = { order_value = "<= 100.00 }', 'order_value = "<= 100.00 }'),
    Broken("toml", GRADES, "[outputs]", "[outputs", "[outputs"),
    Broken(
        "toml",
        "templates/care.toml",
        "promotional = true",
        "promotional = yes",
        "= yes",
        also=("template-unknown",),
    ),
    Broken("key", REMEDIES, "about =", 'abuot = "x"\nabout =', "abuot"),
    Broken("key", REMEDIES, SMALL, SMALL + '\nwhne = "x"', "whne", "small-order"),
    Broken("key", REMEDIES, 'expect = "malicious"', 'expect = "malicious"\nexcept = "x"', "except"),
    Broken(
        "missing",
        REMEDIES,
        'about = "What we offer, by order value. The same fault gets the same remedy whatever the review says."\n',
        "",
        "",
    ),
    Broken("missing", "contact.toml", '[facts]\npromotional = "bool"', "[facts]", "about ="),
    Broken("hit", REMEDIES, "[facts]", 'hit = "last"\n\n[facts]', 'hit = "last"'),
    Broken("hit", REMEDIES, REFUND, REFUND + '\nmode = "test"', 'mode = "test"', "small-order"),
    Broken("hit", "bonus.toml", 'benefit = "staff"', 'benefit = "everybody"', "everybody"),
    Broken("type", REMEDIES, 'order_value = "fen?"', 'order_value = "money"', '"money"'),
    Broken("type", REMEDIES, 'coupon = "fen?"\nsuggestion', 'coupon = "yuan"\nsuggestion', '"yuan"'),
    Broken("type", REMEDIES, 'order_value = "fen?"', 'order_value = "text"', '"text"'),
    Broken("type", "training.toml", 'score = "int [0..100]"', 'score = "int [100..0]"', "[100..0]"),
    Broken("type", "messages.toml", "[facts]", '[facts]\nclass = "bool"', "class ="),
    Broken("type", "messages.toml", '"guidance"] }', '"guidance", "a", "b", "c"] }', '"a", "b"'),
    Broken("toml", TIERS, "[[row]]", "[row]", "[[row]]"),  # at the next one
    Broken("missing", TIERS, "about =", "uncovered = 5\nabout =", "uncovered"),
    Broken("missing", TIERS, "about =", 'case = "x"\nabout =', "case =", then=(r"(?s)\[\[case\]\].*", "")),
    Broken("cell", REMEDIES, LARGE, 'when = "> 300.00"', 'when = "> 300.00"', "large-order"),
    Broken("row-incomplete", REMEDIES, REFUND, "then = [1]", "then = [1]", "small-order"),
    Broken("row-incomplete", REMEDIES, 'id = "small-order"', 'id = ["x"]', 'id = ["x"]', also=("example",)),
    # rows
    Broken("row-incomplete", REMEDIES, 'id = "small-order"\n', "", "", "no. 2", ("example",)),
    Broken(
        "row-incomplete",
        REMEDIES,
        'why = "Up to 100 yuan a refund costs less than the argument."\n',
        "",
        'id = "small-order"',
        "small-order",
    ),
    Broken(
        "row-incomplete",
        REMEDIES,
        REFUND + '\nsource = "policy 4 G"',
        REFUND,
        'id = "small-order"',
        "small-order",
    ),
    Broken("row-incomplete", "awards.toml", 'why_zh = "奖金', 'why_zh = "" # "奖金', 'why_zh = ""', "others"),
    Broken(
        "row-incomplete",
        GRADES,
        'why = "Price questions are explained by an agent."',
        'why = ""',
        'why = ""',
        "price",
    ),
    Broken(
        "row-incomplete",
        "awards.toml",
        'then = { award = "none" }\n',
        "",
        'id = "others"',
        "others",
        ("output-missing",),
    ),
    Broken(
        "duplicate-id",
        REMEDIES,
        'id = "large-order"',
        'id = "medium-order"',
        "",
        "medium-order",
        ("example",),
    ),
    Broken(
        "duplicate-id",
        REMEDIES,
        'name = "one fen more is a large order"',
        'name = "the order is not known"',
        "",
    ),
    Broken(
        "unknown-fact",
        REMEDIES,
        SMALL,
        SMALL.replace("order_value", "ordervalue"),
        "ordervalue",
        "small-order",
    ),
    Broken(
        "unknown-fact", TIERS, "when = { earlier_orders = 0 }", "when = { orders = 0 }", "{ orders", "new"
    ),
    Broken("unknown-output", REMEDIES, REFUND, REFUND.replace("coupon", "cupon"), "cupon", "small-order"),
    Broken("cell", REMEDIES, SMALL, SMALL.replace("100.00", "viel"), "viel", "small-order"),
    Broken(
        "cell", REMEDIES, SMALL, SMALL.replace('"<= 100.00"', "100"), "order_value = 100 }", "small-order"
    ),
    Broken("cell", REMEDIES, SMALL, SMALL.replace("100.00", "100.005"), "100.005", "small-order"),
    Broken("cell", GRADES, 'when = { cause = "price" }', 'when = { cause = "pirce" }', "pirce", "price"),
    Broken("cell", GRADES, 'when = { cause = "price" }', 'when = { cause = "> price" }', "> price", "price"),
    Broken(
        "cell",
        GRADES,
        "when = { suspected_malicious = true }",
        'when = { suspected_malicious = "yes" }',
        '"yes"',
        "malicious",
    ),
    Broken("cell", TIERS, "when = { earlier_orders = 0 }", "when = { earlier_orders = 0.5 }", "0.5", "new"),
    Broken("cell", "messages.toml", 'says = "has(threat)"', 'says = "has(anger)"', "anger", "threat"),
    Broken(
        "empty-cell",
        REMEDIES,
        MEDIUM,
        MEDIUM.replace("(100.00..300.00]", "(300.00..100.00]"),
        "(300.00..100",
        "medium-order",
    ),
    Broken("empty-cell", REMEDIES, SMALL, SMALL.replace("<= 100.00", "< 0.00"), "< 0.00", "small-order"),
    Broken("output", REMEDIES, REFUND, REFUND.replace('"5.00"', '"5 yuan"'), "5 yuan", "small-order"),
    Broken(
        "output", REMEDIES, REFUND, REFUND.replace('"refund"', '"money back"'), "money back", "small-order"
    ),
    Broken("output", GRADES, LATE, LATE.replace('"2h"', '"2 hours"'), "2 hours", "logistics-delay"),
    Broken(
        "output",
        "detection.toml",
        'when = { stars = "<= 3" }\nthen = { bad = true }',
        'when = { stars = "<= 3" }\nthen = { bad = "true" }',
        '"true"',
        "few-stars",
    ),
    Broken(
        "output-missing",
        GRADES,
        LATE,
        'then = { grade = "logistics_delay"',
        'then = { grade = "logistics_delay", warn',
        "logistics-delay",
    ),
    # examples
    Broken("example", REMEDIES, 'name = "no reward for blackmail"\n', "", ""),
    Broken("example", REMEDIES, 'order_value = "59.90" }', 'value = "59.90" }', " value ="),
    Broken(
        "example",
        REMEDIES,
        'suspected_malicious = true, order_value = "59.90"',
        "suspected_malicious = true",
        "suspected_malicious = true }\nexpect",
    ),
    Broken("example", REMEDIES, '"59.90"', '"cheap"', '"cheap"'),
    Broken(
        "example",
        REMEDIES,
        'expect = "malicious"',
        'expect = "malicous"',
        "malicous",
        also=("row-without-example",),
    ),
    Broken(
        "example-wrong",
        REMEDIES,
        '"100.00" }\nexpect = "small-order"',
        '"100.00" }\nexpect = "medium-order"',
        "",
    ),
    Broken(
        "example-wrong",
        TIERS,
        '"1000.00", earlier',
        '"999.00", earlier',
        'expect = "high-value"',
        also=("row-without-example",),
    ),
    Broken("example-wrong", "training.toml", 'score = ">= 90"', 'score = "> 90"', 'expect = "emotion"'),
    Broken(
        "row-without-example",
        TIERS,
        '[[case]]\nname = "180 days of silence"\nfacts = { spent_12_months = "59.90", earlier_orders = 2, days_since_earlier_order = 180 }\nexpect = "dormant"\n',
        "",
        'id = "dormant"',
        "dormant",
    ),
    # proof
    Broken(
        "uncovered",
        REMEDIES,
        MEDIUM,
        MEDIUM.replace("300.00]", "299.99]"),
        'id = "unknown-order"',
        "",
        ("example-wrong",),
    ),
    Broken(
        "uncovered", REMEDIES, LARGE, 'when = { order_value = "(300.00..9999.00]" }', 'id = "unknown-order"'
    ),
    Broken(
        "uncovered",
        REMEDIES,
        'when = { order_value = "unknown" }',
        'when = { order_value = "0.00" }',
        'id = "unknown-order"',
        "",
        ("masked",),
    ),
    Broken(
        "uncovered",
        "follow_up.toml",
        'when = { step = "give_up" }',
        'when = { step = "silver" }',
        'id = "give-up"',
        "",
        ("masked",),
    ),
    Broken(
        "uncovered-needless",
        REMEDIES,
        "[facts]",
        'uncovered = "a supervisor decides"\n\n[facts]',
        "uncovered =",
    ),
    Broken(
        "uncovered-needless",
        "messages.toml",
        'hit = "collect"',
        'hit = "collect"\nuncovered = "x"',
        "uncovered =",
    ),
    Broken(
        "uncovered-outputs",
        "training.toml",
        "[facts]",
        'uncovered = "x"\n\n[facts]',
        "uncovered =",
        None,
        ("example",),
        (
            re.escape(
                '[[row]]\nid = "not-yet"\nwhy = "Below the mark: train again."\nwhy_zh = "没有达标，再培训。"\nthen = { passed = false }\nsource = "policy 9 G"\n'
            ),
            "",
        ),
    ),
    Broken("overlap", REMEDIES, "[facts]", 'hit = "unique"\n\n[facts]', SMALL, "small-order"),
    Broken("overlap", "incidents.toml", "[facts]", 'hit = "unique"\n\n[facts]', 'id = "single"', "single"),
    Broken(
        "masked",
        REMEDIES,
        SMALL,
        "",
        'id = "medium-order"',
        "medium-order",
        ("example-wrong", "row-without-example"),
    ),
    Broken(
        "masked",
        TIERS,
        'when = { days_since_earlier_order = ">= 180" }',
        'when = { spent_12_months = "> 2000.00" }',
        'id = "dormant"',
        "dormant",
        ("example-wrong",),
    ),
    Broken(
        "never-reached",
        REMEDIES,
        UNKNOWN,
        SHADOWED.format("extra", "[50.00..500.00]"),
        'id = "extra"',
        "extra",
        ("row-without-example",),
    ),
    Broken(
        "never-reached",
        "alerts.toml",
        'when = { kind = "breach" }',
        'when = { kind = ["warning", "escalation"] }',
        'id = "breach"',
        "breach",
        ("uncovered", "example-wrong"),
    ),
    # the code
    Broken("table-missing", GRADES, "", None, also=("limit-idle",)),
    Broken(
        "facts-differ",
        "contact.toml",
        'promotional = "bool"\n',
        'promotional = "bool"\nvip = "bool"\n',
        "vip =",
        also=("example",),
    ),
    Broken(
        "facts-differ",
        TIERS,
        'days_since_earlier_order = "days?" ',
        'days_since_earlier_order = "days"  ',
        '"days"',
        also=("example", "example-wrong"),
    ),
    Broken(
        "facts-differ", REMEDIES, 'order_value = "fen?"', 'order_value = "fen? [0..100000.00]"', "100000.00]"
    ),
    Broken(
        "output-lacking",
        "follow_up.toml",
        'coupon = "fen?"\n',
        "",
        "[outputs]",
        None,
        ("limit-idle", "variable-blank"),
        (r', coupon = "\d+\.00"', ""),
    ),
    Broken(
        "output-refused", REMEDIES, 'remedy = ["refund", ', 'remedy = ["apology", "refund", ', '"apology"'
    ),
    Broken("output-refused", "detection.toml", 'bad = "bool"', 'bad = "bool?"', '"bool?"'),
    Broken(
        "output-refused",
        "alerts.toml",
        'roles = ["manager"]',
        'roles = ["boss"]',
        '"boss"',
        "escalate-to-manager",
    ),
    # limits
    Broken("over-limit", GRADES, LATE, LATE.replace("2h", "25h"), '"25h"', "logistics-delay"),
    Broken("over-limit", REMEDIES, REFUND, REFUND.replace("5.00", "20.01"), "20.01", "small-order"),
    Broken("over-limit", "goodwill.toml", 'cost_cap = "30.00"', 'cost_cap = "30.01"', "30.01", "vip-gift"),
    Broken("over-limit", "follow_up.toml", 'after = "2h"', 'after = "2d"', '"2d"', "guidance"),
    Broken("limit-idle", "limits.toml", '"bonus.bonus"]', '"bonus.amount", "bonus.bonus"]', "bonus.amount"),
    # templates
    Broken(
        "template-unknown",
        "follow_up.toml",
        'template = "silver"',
        'template = "gold"',
        '"gold"',
        "silver",
        ("template-unused",),
    ),
    Broken("template-unused", "follow_up.toml", 'after = "30d", template = "silver"', 'after = "30d"'),
    Broken("template-broken", "templates/care.toml", 'about = "Care', 'abuot = "Care', "亲，之前"),
    Broken("template-broken", "templates/care.toml", "{product}", "{product", "亲，之前"),
    Broken("variable-unknown", "templates/care.toml", "{product}", "{produkt}", "{produkt}"),
    Broken("variable-blank", "follow_up.toml", ', coupon = "5.00"', "", 'template = "care"', "care"),
    # guardrails
    Broken(
        "forbidden-fact",
        REMEDIES,
        'order_value = "fen?"',
        'order_value = "fen?"\nstars = "int?"',
        "stars =",
        None,
        ("example", "facts-differ"),
    ),
    Broken(
        "forbidden-fact",
        "ambassadors.toml",
        'resolved = "bool" ',
        'review_changed = "bool"\nresolved = "bool" ',
        'review_changed = "bool"',
        None,
        ("example",),
    ),
    Broken("forbidden-fact", "bonus.toml", "[outputs]", '[outputs]\ncoupon = "fen?"', 'converted = "bool"'),
    Broken("benefit-in-guidance", "templates/guidance.toml", "祝您生活愉快", "送您优惠", "text ="),
    Broken("forbidden-phrase", "templates/care.toml", "祝您每天好心情", "给个五星", "text ="),
    Broken("phrases", "phrases.toml", "[intent.threat]\nreason", "[intent.threat]\nwhy", "[intent.threat]"),
    # the lexicon
    Broken("lexicon", "lexicon.toml", "[price]", "[prize]", "[prize]"),
    Broken(
        "lexicon", "lexicon.toml", '[price]\nwords = [\n    "太贵"', '[price]\nwords = [\n    ""', "[price]"
    ),
]
