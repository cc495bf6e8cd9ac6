# Newskeep's; newskeep/_packages.py looks for this line.
"""The spiders: a list of URLs, and news sites as data."""
