"""Months of the index written into the store as ZipNum clusters and Parquet, let go from the database, and checked."""
