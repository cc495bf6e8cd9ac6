"""One run's way into the archive: from an exchange to a delivered WARC with its text."""
