"""The log of an archive: an append-only Merkle tree over its WARC records, with signed heads."""
