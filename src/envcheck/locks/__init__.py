"""A lockfile into a Lock, a module a format; what of it should be installed here; and how that differs from what is.

``find`` chooses the file, ``read`` reads it, ``select`` decides, ``compare`` compares.
"""
