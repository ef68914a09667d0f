"""A lock into trusted hashes of installed files: by wheels found here or fetched, or by a committed anchors file.

`anchors.wheel` and `anchors.manifest` turn an archive into what it installs, `anchors.file` is the committed file,
`anchors.sources` finds archives.
"""
