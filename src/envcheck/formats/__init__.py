"""Bytes that several packages must read: bytecode, source, binaries; as data, and bounded."""
