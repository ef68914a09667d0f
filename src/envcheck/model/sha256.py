"""sha256 of small data by CPython's own module, without loading OpenSSL.

Loading OpenSSL takes longer than a startup scan hashes, and reads a configuration file that can name native code.
Large files are worth it: ``files.digests`` takes ``hashlib`` for those.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # CPython 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256

__all__ = ["sha256"]
