"""Changes that file images of a visit under another order, and what such a finding explains."""
