"""The condition that selects layers: `kernel>=3 and cin>=64`. A small language with errors that point at the place.

    condition  = all-of { "or" all-of }
    all-of     = part { "and" part }
    part       = "not" part | "(" condition ")" | operand sign operand { sign operand }
    sign       = "==" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
    operand    = name | number [unit] | word | "text" | 'text'

Comparisons may follow each other, as in `64 <= cin < 512`. Units: k, M, G, T (powers of 1000), Ki, Mi, Gi, Ti (of
1024), both with or without B, and %. `~` compares text with a pattern in which `*` stands for any characters and `?`
for one. A fact that a layer does not have is neither equal nor unequal to anything: the comparison is left open, and a
condition that is open in the end does not select.
"""

from __future__ import annotations

import msgspec

from convcost.alternatives.condition.compare import Test
from convcost.alternatives.condition.names import NAMES, Facts, Value
from convcost.alternatives.condition.reader import Reader
from convcost.alternatives.condition.tokens import wrong

LONGEST = 4096

__all__ = ["NAMES", "Condition", "Facts", "Value", "read"]


class Condition(msgspec.Struct, frozen=True):
    """A condition, read. Raises nothing when it is asked."""

    text: str
    test: Test

    def holds(self, facts: Facts) -> bool:
        """Whether a layer with these facts is selected."""
        return self.test(facts) is True


def read(text: str) -> Condition:
    """The condition that `text` says. Raises NotationError, whose span is a half-open range of its code points."""
    if len(text) > LONGEST:
        raise wrong(text[:LONGEST], (0, 1), f"the condition is longer than {LONGEST:,} characters")
    reader = Reader(text)
    test = reader.any_of()
    if reader.next.kind != "end":
        raise reader.unexpected("'and', 'or' or the end")
    return Condition(text, test)
