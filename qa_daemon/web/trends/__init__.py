"""Trends: which rule, station or model goes wrong; as a page, as CSV, as a digest."""
