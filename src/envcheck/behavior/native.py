"""A native module into an account: the symbols that it takes from libraries and gives to them, and its strings.

Machine code is not read: what it does with a symbol is not told, and what it hides in its code is not seen.
"""

from __future__ import annotations

import re
import struct
from itertools import islice

from envcheck.behavior import shell, strings
from envcheck.formats.binary import Binary, Reader, read_binary, section_bytes
from envcheck.formats.symbols import mach_o_imports, pe_imports
from envcheck.model.behavior import Account, Capability, Indicator, Use

MAX_STRINGS = 20_000
MAX_READ = 32 << 20
MAX_SYMBOLS = 100_000
_DYNSYM = 11
_TEXT = re.compile(rb"[\x20-\x7e]{6,4096}")

_SYMBOLS: dict[Capability, str] = {
    "process": "system popen execl execlp execle execv execvp execve execvpe fexecve fork vfork posix_spawn "
    "posix_spawnp clone CreateProcessA CreateProcessW WinExec ShellExecuteA ShellExecuteW CreateRemoteThread _popen "
    "_wsystem",
    "network": "socket connect getaddrinfo gethostbyname sendto recvfrom bind listen accept curl_easy_perform "
    "curl_easy_init SSL_connect WSAStartup WSASocketA WSASocketW InternetOpenA InternetOpenUrlA InternetOpenUrlW "
    "URLDownloadToFileA URLDownloadToFileW WinHttpOpen WinHttpSendRequest HttpSendRequestA",
    "native-code": "dlopen dlsym mprotect mmap LoadLibraryA LoadLibraryW GetProcAddress VirtualAlloc VirtualProtect "
    "WriteProcessMemory",
    "dynamic-code": "PyRun_SimpleString PyRun_SimpleStringFlags PyRun_String PyRun_StringFlags PyRun_SimpleFileExFlags "
    "Py_CompileString Py_CompileStringFlags Py_CompileStringExFlags PyEval_EvalCode PyMarshal_ReadObjectFromString",
    "import-machinery": "PyImport_AppendInittab PyImport_ExtendInittab",
    "monkeypatch": "PyEval_SetTrace PyEval_SetProfile PySys_AddAuditHook",
    "anti-analysis": "ptrace IsDebuggerPresent CheckRemoteDebuggerPresent NtQueryInformationProcess",
    "persistence": "RegSetValueExA RegSetValueExW CreateServiceA CreateServiceW",
    "writes-files": "unlink rename chmod symlink mkdir fwrite DeleteFileA DeleteFileW WriteFile",
    "environment": "getenv secure_getenv environ gethostname GetEnvironmentVariableA GetEnvironmentVariableW",
    "threads": "pthread_create CreateThread",
    "credentials": "CryptUnprotectData getspnam",
}
_OF_SYMBOL: dict[str, Capability] = {
    symbol: capability for capability, words in _SYMBOLS.items() for symbol in words.split()
}
_BY_STRING = re.compile(r"[A-Z]\w{3,}[a-z]\w*")
"""Functions of Windows are named in capitals; a name like ``connect`` in a string means nothing."""


def account_of_native(data: bytes) -> Account:
    """What a shared library of these bytes names. Never raises."""

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size] if offset >= 0 else b""

    binary = read_binary(read)
    if binary is None:
        return Account("native", False, "it is no library of a known format")
    uses: dict[tuple[Capability, str], Use] = {}
    found: dict[tuple[str, str], Indicator] = {}

    def use(capability: Capability, expression: str, means: str) -> None:
        uses.setdefault((capability, means), Use(capability, None, expression[:200], means))

    for symbol in _symbols(read, binary):
        capability = _OF_SYMBOL.get(symbol)
        if capability is not None:
            use(capability, symbol, f"takes {symbol} from a library")
    for library in binary.needed:
        if library.startswith(("libcurl", "libssl", "libssh")):
            use("network", library, f"needs {library}")
    texts = [match[0].decode("ascii") for match in islice(_TEXT.finditer(data[:MAX_READ]), MAX_STRINGS + 1)]
    hinting = set(strings.hinting(texts))
    for number, text in enumerate(texts):
        if binary.kind != "elf" and _BY_STRING.fullmatch(text) and text in _OF_SYMBOL:
            use(_OF_SYMBOL[text], text, f"names {text}")
        if number in hinting:
            for capability, means in strings.hints(text):
                use(capability, text, means)
        if " " in text and "http" in text:
            for capability, means in shell.means(text):
                if capability in ("network", "persistence"):
                    use(capability, text, means)
        if strings.may_have_addresses(text):
            for indicator in strings.indicators(text, None):
                if indicator.kind in ("url", "address"):
                    found.setdefault((indicator.kind, indicator.value), indicator)
    short = f"only the first {MAX_READ:,} bytes were read" if len(data) > MAX_READ else None
    return Account("native", short is None, short, tuple(uses.values()), (), (), tuple(found.values())[:200])


def _symbols(read: Reader, binary: Binary) -> list[str]:
    """The names that a library takes from others."""
    if binary.kind == "pe":
        return pe_imports(read)
    if binary.kind == "mach-o":
        return mach_o_imports(read)
    symbols = next((section for section in binary.sections if section.kind == _DYNSYM), None)
    if symbols is None or not 0 < symbols.link < len(binary.sections):
        return []
    names = section_bytes(read, binary.sections[symbols.link])
    table = section_bytes(read, symbols)
    order = "<" if binary.little else ">"
    layout = struct.Struct(order + ("IBBHQQ" if binary.bits == 64 else "IIIBBH"))
    found: list[str] = []
    for values in layout.iter_unpack(table[: len(table) - len(table) % layout.size]):
        at, section = values[0], values[3] if binary.bits == 64 else values[5]
        if section == 0 and at and len(found) < MAX_SYMBOLS:
            end = names.find(b"\0", at, at + 256)
            found.append(names[at : end if end >= 0 else at + 256].decode("ascii", "replace"))
    return found
