"""The words that conditions are made of, each a function from what is seen to yes, no or unknown.

In: a look at a subject, and a test. Out: yes, no, or why there is no answer. A new need is a new
word in one of these modules, with tests; nothing in YAML is ever run as code.
"""

from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.operators import agreement, bodies, numbers, text, times, values
from qa_daemon.rules.operators.table import FREE_OF, OPERATORS, Answered, Operator

WORDS = (agreement, bodies, numbers, text, times, values)

__all__ = ["FREE_OF", "OPERATORS", "WORDS", "Answered", "Look", "Operator"]
