"""What statistics are made of: findings with their verdicts, judged series, scores of models.

In: values. Out: values. Counts nothing but scores: all else is counted from rows in memory.
"""
