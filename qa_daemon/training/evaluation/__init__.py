"""How good a recipe is on patients and sources that it has not seen, beside plain baselines.

In: a recipe and a data folder. Out: `evaluation.json` and `report.html`. Every part is kept on
disk when it is done, so that a stopped evaluation goes on where it was.
"""
