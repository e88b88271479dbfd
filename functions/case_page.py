"""Case page: a case behind an alert's link, on a phone and without a login.

Trigger: the HTTP API, GET and POST /p/{token}, unsigned: the token is the permission (domain/links.py).
GET shows and changes nothing, since chat apps open links to preview them. POST does the one thing that its
token is for, once: that it was used is saved together with what it did. Tokens are never logged.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from secrets import token_bytes
from typing import Any, get_args
from urllib.parse import parse_qs, quote, unquote

from functions.domain.cases import Case, CaseClosed, acknowledge, resolve
from functions.domain.causes import Cause
from functions.domain.handling import LinkUsed, take_over, use
from functions.domain.links import ACTS, NONCE, BadLink, Link, LinkExpired, read, token
from functions.page import HEADERS, Form, refused, show
from functions.page.words import NOTICES, OUTCOMES
from functions.runtime.clock import now
from functions.runtime.observability import count, logger, observed
from functions.store import cases, rulebooks
from functions.store.link_keys import link_keys

_LONGEST_BODY = 8192
_LONGEST_NAME, _LONGEST_NOTE = 40, 500
_COOKIE_S = 180 * 86400
_VIA = "alert link"

Answer = dict[str, Any]


class BadForm(ValueError):
    """The form is not one that the page made."""


@observed
def handler(event: dict[str, Any], context: Any) -> Answer:
    moment = now()
    method = event["requestContext"]["http"]["method"]
    try:
        link = read((event.get("pathParameters") or {}).get("token", ""), link_keys(moment), moment)
        if method == "GET" and link.purpose == "show":
            return _shown(event, link, moment)
        if method == "POST" and link.purpose != "show":
            return _acted(event, link, moment)
        raise BadLink("for something else")
    except LinkExpired:
        count("LinksRefused")
        return _answer(HTTPStatus.GONE, refused("链接已过期", "请使用最新告警中的链接，或联系主管。"))
    except (BadLink, BadForm) as error:
        count("LinksRefused")
        logger.info("link refused", extra={"reason": str(error), "method": method})
        return _answer(
            HTTPStatus.NOT_FOUND, refused("链接无效", "请检查链接是否复制完整，或使用最新告警中的链接。")
        )


def _shown(event: dict[str, Any], link: Link, moment: datetime) -> Answer:
    case = _known(link)
    notice = NOTICES.get((event.get("queryStringParameters") or {}).get("done", ""), "")
    return _answer(HTTPStatus.OK, _page(case, link, _name_of(event), moment, notice=notice))


def _acted(event: dict[str, Any], link: Link, moment: datetime) -> Answer:
    """Act and send the browser back to the page, so that reloading it does not ask to act again."""
    form = _form(event)
    page = read(form.get("page", ""), link_keys(moment), moment)
    if page.purpose != "show" or page.case_id != link.case_id:
        raise BadForm("the page is another case's")
    name = " ".join(form.get("by", "").split())[:_LONGEST_NAME]
    by = f"{name} ({_VIA})" if name else _VIA
    try:
        act, before = _act(link, by, form, moment), _known(link)
        case = cases.change(link.case_id, lambda each: act(use(each, link, moment)), known=before)
    except LinkUsed:
        text = "这个操作已经提交过，没有重复执行。"
        return _answer(HTTPStatus.CONFLICT, _page(_known(link), page, name, moment, refusal=text))
    except CaseClosed:
        text = "案件已经结束，无需再处理。"
        return _answer(HTTPStatus.CONFLICT, _page(_known(link), page, name, moment, refusal=text))
    if link.purpose == "resolve":
        count("CausesConfirmed")
        count("CausesCorrected", int(case.confirmed_cause != case.cause))
    logger.info("acted through a link", extra={"case_id": case.case_id, "act": link.purpose})
    done = link.purpose if case.events != before.events else "nothing"
    back = {"location": f"{form['page']}?done={done}"}
    answer = _answer(HTTPStatus.SEE_OTHER, "") | {"headers": dict(HEADERS) | back}
    if name:
        kept = f"by={quote(name)}; Max-Age={_COOKIE_S}; HttpOnly; Secure; SameSite=Lax"
        answer["cookies"] = [kept]
    return answer


def _act(link: Link, by: str, form: Mapping[str, str], moment: datetime) -> Callable[[Case], Case]:
    if link.purpose == "acknowledge":
        return lambda case: acknowledge(_workable(case), by, moment)
    if link.purpose == "take_over":
        return lambda case: take_over(case, by, moment)
    cause = next((each for each in get_args(Cause) if each == form.get("cause")), None)
    outcome = next((each for each in OUTCOMES if each == form.get("outcome")), None)
    if cause is None or outcome is None:
        raise BadForm("no such cause or outcome")
    note = form.get("note", "").strip()[:_LONGEST_NOTE] or None
    return lambda case: resolve(_workable(case), by, cause, outcome, note, moment)


def _workable(case: Case) -> Case:
    if not case.waiting:
        raise CaseClosed(f"{case.case_id} is {case.status}")
    return case


def _page(case: Case, link: Link, by: str, moment: datetime, *, notice: str = "", refusal: str = "") -> str:
    rules, keys = rulebooks.current(), link_keys(moment)
    valid = timedelta(seconds=rules.ask.links(link="act").number("valid"))
    acts = {act: token(Link(act, case.case_id, moment + valid, token_bytes(NONCE)), keys) for act in ACTS}
    advice = rules.ask.advice(grade=case.grade).text("say")
    return show(case, Form(acts, token(link, keys), by), advice, moment, notice, refusal)


def _known(link: Link) -> Case:
    found = cases.read_many([link.case_id])
    if link.case_id not in found:
        raise BadLink("there is no such case")
    return found[link.case_id]


def _form(event: dict[str, Any]) -> dict[str, str]:
    body = event.get("body") or ""
    if len(body) > _LONGEST_BODY:
        raise BadForm("too long")
    try:
        text = b64decode(body).decode() if event.get("isBase64Encoded") else body
        return {name: values[-1] for name, values in parse_qs(text, max_num_fields=10).items()}
    except ValueError as error:
        raise BadForm("not a form") from error


def _name_of(event: dict[str, Any]) -> str:
    """The name typed last on this phone."""
    kept = [cookie.partition("=")[2] for cookie in event.get("cookies", []) if cookie.startswith("by=")]
    return unquote(kept[0])[:_LONGEST_NAME] if kept else ""


def _answer(status: HTTPStatus, body: str) -> Answer:
    return {"statusCode": int(status), "headers": dict(HEADERS), "body": body, "isBase64Encoded": False}
