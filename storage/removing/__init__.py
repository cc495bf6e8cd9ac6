"""Captures taken out of the archive: hidden at once, given back, or purged for good."""
