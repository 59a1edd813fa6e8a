"""The keys of a rule file (contract, section 3)."""

from typing import Final

#: Without these there is no rule.
REQUIRED: Final = frozenset(
    {"id", "title", "topic", "severity", "status", "version", "level", "rationale", "check"}
)
OPTIONAL: Final = frozenset(
    {"applies_when", "needs", "suggest", "alternatives", "message", "quick", "cases"}
    | {"known_false_positives", "enabled", "options"}
)
