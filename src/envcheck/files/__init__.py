"""Confined, bounded, read-only access to a target's files: the only package that opens them.

``root.Files`` is one machine's file system, live or mounted under a directory; ``digests`` hashes many files.
"""
