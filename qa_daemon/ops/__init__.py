"""Processes: build the service from settings, supervise, tell systemd.

In: settings and signals. Out: running roles.
"""
