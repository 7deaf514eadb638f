"""Italian and English: which one a browser wants, and the words of the page in it.

The catalogues are gettext's (``locale/``). What is switched to stands in a cookie of its own;
without it ``Accept-Language`` decides, and Italian where that names neither.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from bridge.language import LANGUAGES, Language, opened, said_in

__all__ = ["COOKIE", "LANGUAGES", "Language", "catalogue", "for_people", "language_of"]

COOKIE = "pec-bridge-language"
DOMAIN = "pec-bridge"


def language_of(request: HTTPConnection) -> Language:
    """Return the language to answer a request in."""
    for given in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        for language in LANGUAGES:
            if given == language:
                return language
    return _accepted(request.headers.get("accept-language", ""))


def for_people(
    request: HTTPConnection, sentence: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a plain answer that says a sentence, in the language of who asks.

    Args:
        request: what is answered.
        sentence: what there is to say.
        status: of the answer.
        headers: of the answer.
    """
    language = language_of(request)
    headers = {**(headers or {}), "Content-Language": language}
    return PlainTextResponse(f"{said_in(sentence, language)}\n", status, headers)


def _accepted(header: str) -> Language:
    """Return the wanted language of an ``Accept-Language`` (RFC 9110 §12.5.4)."""
    best: Language = "it"
    best_weight = 0.0
    for item in header[:500].split(","):
        tag, _, parameter = item.partition(";")
        name = tag.strip().casefold().partition("-")[0]
        weight = _weight(parameter)
        for language in LANGUAGES:
            if name == language and weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def catalogue(language: Language) -> gettext.NullTranslations:
    """Return the page's words in a language."""
    return opened(language, "bridge.web", DOMAIN)
