"""What the queue shows: findings that wait, gathered into lines, counted and searched.

In: values. Out: values. The table `listed` repeats of each finding what lists need, so that a
count of fifty thousand reads little; it is written in the transactions that change findings.
"""
