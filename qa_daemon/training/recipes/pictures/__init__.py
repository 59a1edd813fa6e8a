"""Recipes about single pictures: kind, quality, opacity, side marker.

In: a data folder. Out: a `Recipe` per target, found by `training.recipes.recipe_of`.
"""
