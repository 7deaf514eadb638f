"""Operations for the command line: what comes of them in the language of the settings.

Operations themselves give sentences, and the page says those in its visitor's language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.language import LanguageSetting, rendered
from bridge.operations.control import OperationFailed, Perform, Progress


def speaking(perform: Perform, language: Callable[[], LanguageSetting]) -> Perform:
    """Return operations whose facts and failures are in words.

    Args:
        perform: carries out operations.
        language: gives what the settings say now.
    """

    async def perform_and_say(name: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
        try:
            return rendered(await perform(name, arguments, progress), language())
        except OperationFailed as failure:
            words = rendered(failure.args[0], language())
            raise OperationFailed(words, failure.cause) from None

    return perform_and_say
