"""Recipes of the targets of radiographs: `body_part` makes the trunk, the others go on from it.

In: pictures of `training.radiographs`. Out: one `RECIPE` per file.
"""
