"""What programs are told: findings and the audit page by page, and what happened, in order.

In: where somebody stands. Out: what comes next. By row numbers, so that nothing is told twice.
"""
