"""A Report in the formats that people and programs read; one module a format.

``json`` and ``text`` load nothing beyond the model, so that a light scan stays light; ``terminal`` loads rich.
"""
