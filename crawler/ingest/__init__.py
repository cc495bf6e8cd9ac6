"""Bringing in what other crawlers wrote: files, folders, addresses, buckets, into the archive as if it had come here.

`sources` finds the files, `download` fetches those that lie elsewhere, `wacz` takes packages apart, `importing` goes
through the files one by one and says what became of each.
"""
