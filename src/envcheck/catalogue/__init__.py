"""Known startup files, installers' script bodies, venv scaffolding: package data and its matching.

Everything here is matched whole, by content; a name alone never makes a file known. Pure functions of bytes, no I/O.
"""
