"""The REST API below `/api/v1`: what programs may ask, with its OpenAPI document.

Each operation is declared once (`resources`); its route, the checks of its parameters and its
entry of the document are made from that.
"""
