"""One picture of an archive: what it holds, what it takes, how it goes and what comes next."""
