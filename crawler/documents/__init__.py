"""Clean text and metadata of documents that are no HTML: PDF, and what word processors and slide programs write.

`kinds` says what is a document; `pdf` (the only user of pypdf) and `office` read one as a `Document`; `paragraphs`
makes paragraphs of a PDF's lines; `reader` makes an `Article` of it. All text is kept: nothing says what of a document
would be no text of it. Whoever calls bounds time and memory; what is unpacked is bounded here.
"""
