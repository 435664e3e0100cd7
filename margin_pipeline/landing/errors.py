"""The one error of the landing zone: a date whose files cannot be used at all.

Belongs here: the exception. Not here: single bad rows (they become rejections and stop nothing).
"""

from __future__ import annotations

from collections.abc import Sequence


class LandingError(Exception):
    """The files of a date cannot be used.

    Attributes
    ----------
    messages : one line each, saying what is wrong and what to do.
    """

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("\n".join(messages))
        self.messages: list[str] = list(messages)
