"""Turns a target into an Environment, by reading files only: which interpreter, which directories, in which order."""
