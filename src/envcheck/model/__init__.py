"""The nouns of envcheck as immutable values, without I/O; every other package speaks them.

One noun a module; import from the module, not from here, so that a light scan loads few of them.
"""
