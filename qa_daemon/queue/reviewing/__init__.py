"""What the review page shows of one finding: pictures as tags hang them, values, evidence, history.

In: rows of the store. Out: frozen values that a page prints. Decides nothing, opens no pixels.
"""
