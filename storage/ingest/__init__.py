"""WARC and ARC files of other writers on their way in: every record read, checked, and put where our readers find it.

`frames` takes the compression off and knows where its frames lie; `framing` finds the records in what comes out, also
behind damage; `arc` makes WARC records of those of an ARC; `checking` says what each is; `parts` writes them as WARCs
of ours, a gzip member a record; `note` is what the archive keeps of where they came from.
"""
