"""The recipes, one file per subject, and where each target has its own.

In: what a target needs, said by its author. Out: `recipe_of`. A recipe is imported when it is
asked for, so that one that fails breaks no other.
"""

from importlib import import_module
from typing import Any, Final

from qa_daemon.errors import ConfigurationError

#: Target to `module:name` of its recipe, in this room.
RECIPES: Final = {
    "axial_orientation": "axial_orientation:RECIPE",
    "body_part": "radiographs.body_part:RECIPE",
    "body_region": "body_region:RECIPE",
    "body_region_upright": "body_region_upright:RECIPE",
    "chest_opacity": "pictures.chest_opacity:RECIPE",
    "coronal_orientation": "other_orientations:CORONAL",
    "image_kind": "pictures.image_kind:RECIPE",
    "image_quality": "pictures.image_quality:RECIPE",
    "laterality": "radiographs.laterality:RECIPE",
    "plane": "plane:RECIPE",
    "radiograph_orientation": "radiographs.radiograph_orientation:RECIPE",
    "sagittal_orientation": "other_orientations:SAGITTAL",
    "side_marker": "pictures.side_marker:RECIPE",
    "view": "radiographs.view:RECIPE",
}


def recipe_of(target: str) -> Any:
    """Return the recipe of a target.

    Raises
    ------
    ConfigurationError
        If no model of that target is trained here.
    """
    where = RECIPES.get(target)
    if where is None:
        raise ConfigurationError(f"{target}: not a target; use one of {', '.join(RECIPES)}")
    module, _, name = where.partition(":")
    return getattr(import_module(f"{__name__}.{module}"), name)
