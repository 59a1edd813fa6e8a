"""Plots as SVG text: bars from zero, lines and steps, with the lines at revisions.

In: counts, places and words. Out: SVG without style or script. Across the width everything is a
percentage, so labels keep their 11 px however wide a page is; colours are classes of the page.
"""
