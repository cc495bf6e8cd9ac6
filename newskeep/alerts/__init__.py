"""Alerts: who is told by webhook or e-mail of what is new, changed or gone in the archive, and of sites in trouble.

`watch` finds what happened, `outbox` remembers it until it is told, `delivery` tells it in digests, `telling` is all
of it in order. A run that is killed anywhere in between tells nothing twice that was taken, and forgets nothing.
"""
