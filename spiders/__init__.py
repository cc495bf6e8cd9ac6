"""The spiders: a list of URLs, and news sites as data."""
