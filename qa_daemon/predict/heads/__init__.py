"""From the raw outputs of a model to `Prediction` values. Pure; one file per kind of answer.

In: logits per frame, with the card of the model. Out: the element of the series, then its frames'.
"""
