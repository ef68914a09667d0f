"""An environment turned into its startup plan: what CPython runs before the user's first line."""
