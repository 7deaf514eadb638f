"""What both parsers are made of: header blocks, words, addresses, transfer encodings."""
