"""Data that ships with envcheck into bytes, wherever the code was loaded from: a directory, or one file to carry."""

import os
import sys


def shipped(package: str, name: str) -> bytes:
    """The data file of one of envcheck's packages (``envcheck.reports.templates``-like paths are part of ``name``)."""
    module = sys.modules[package]
    path = os.path.join(os.path.dirname(str(module.__file__)), *name.split("/"))
    get_data = getattr(module.__loader__, "get_data", None)
    if get_data is None:
        raise FileNotFoundError(path)
    data: bytes = get_data(path)
    return data
