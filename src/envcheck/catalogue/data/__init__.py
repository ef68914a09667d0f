"""Tables of digests, generated from real packages by ``tests/tools/make_catalogue.py``; a family a module."""
