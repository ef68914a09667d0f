"""A full dotted name into what whoever calls it can do: tables of Python's own library and of what malware uses.

A name of the table stands for itself and for all below it (``subprocess.Popen`` for ``subprocess.Popen().wait``); the
longest one that fits counts. What is not in it can do nothing that is told.
"""

from __future__ import annotations

from envcheck.model.behavior import Capability

_NAMES: dict[Capability, str] = {
    "process": """
        os.system os.popen os.fork os.forkpty os.startfile os.posix_spawn os.posix_spawnp os.execv os.execve os.execvp
        os.execvpe os.execl os.execle os.execlp os.execlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe os.spawnl
        os.spawnle os.spawnlp os.spawnlpe os.popen2 os.popen3 subprocess.Popen subprocess.run subprocess.call
        subprocess.check_call subprocess.check_output subprocess.getoutput subprocess.getstatusoutput
        _posixsubprocess.fork_exec _winapi.CreateProcess pty.spawn pty.fork commands.getoutput
        commands.getstatusoutput popen2.popen2 popen2.popen3 platform.popen multiprocessing.Process
        multiprocessing.Pool multiprocessing.pool.Pool multiprocessing.get_context multiprocessing.spawn
        concurrent.futures.ProcessPoolExecutor asyncio.create_subprocess_exec asyncio.create_subprocess_shell
        asyncio.subprocess.create_subprocess_exec asyncio.subprocess.create_subprocess_shell webbrowser.open
        webbrowser.open_new pexpect.spawn pexpect.run sh.Command plumbum.local win32process.CreateProcess
        win32api.ShellExecute win32com.shell.shell.ShellExecuteEx ctypes.CDLL().system ctypes.CDLL().popen
        ctypes.CDLL().execve ctypes.CDLL().execv ctypes.CDLL().execvp ctypes.windll.shell32 ctypes.CDLL().fork
        ctypes.windll.kernel32.CreateProcessA ctypes.windll.kernel32.CreateProcessW ctypes.windll.kernel32.WinExec
        importlib.util.os.system distutils.spawn.spawn setuptools.distutils.spawn.spawn test.support.script_helper
        test.support.script_helper.assert_python_ok idlelib.pyshell timeit.os.system cgitb.os.system
    """,
    "network": """
        socket.socket socket.create_connection socket.create_server socket.getaddrinfo socket.gethostbyname
        socket.gethostbyname_ex socket.gethostbyaddr socket.fromfd socket.socketpair socket.SocketType
        urllib.request urllib.request.urlretrieve urllib.urlopen urllib.urlretrieve
        urllib2 http.client httplib http.server socketserver ftplib
        smtplib smtpd poplib imaplib nntplib telnetlib xmlrpc.client xmlrpclib ssl.wrap_socket ssl.SSLSocket
        ssl.get_server_certificate asyncio.open_connection asyncio.start_server asyncio.open_unix_connection
        asyncore.dispatcher requests.get requests.post requests.put requests.patch requests.delete requests.head
        requests.options requests.request requests.Session requests.session requests.api httpx.get httpx.post httpx.put
        httpx.request httpx.stream httpx.Client httpx.AsyncClient aiohttp.ClientSession aiohttp.request
        urllib3.PoolManager urllib3.request urllib3.HTTPConnectionPool urllib3.HTTPSConnectionPool paramiko
        websocket.create_connection websocket.WebSocketApp websockets.connect websockets.sync.client.connect pycurl
        curl_cffi dns.resolver dns.query boto3.client boto3.resource boto3.Session botocore.session telebot discord
        pyngrok zmq.Context httplib2.Http tornado.httpclient twisted.web.client win32com.client.Dispatch
        logging.handlers.HTTPHandler logging.handlers.SocketHandler logging.handlers.SysLogHandler
        logging.handlers.SMTPHandler multiprocessing.connection.Client multiprocessing.connection.Listener
        multiprocessing.managers.BaseManager pip._vendor.requests pip._vendor.urllib3 pip._internal.network
        setuptools.package_index nt._getaddrinfo
    """,
    "credentials": """
        keyring.get_password keyring.get_credential getpass.getpass netrc.netrc browser_cookie3 browser_cookie
        win32crypt.CryptUnprotectData win32cred secretstorage pynput.keyboard keyboard.on_press keyboard.hook
        pyperclip.paste PIL.ImageGrab.grab boto3.Session().get_credentials botocore.session.get_session
        google.auth.default azure.identity.DefaultAzureCredential spwd.getspnam spwd.getspall crypt.crypt
    """,
    "environment": """
        os.environ os.environb os.getenv os.getenvb platform.node platform.uname socket.gethostname socket.getfqdn
        getpass.getuser os.getlogin os.uname pwd.getpwuid pwd.getpwall pwd.getpwnam uuid.getnode
    """,
    "writes-files": """
        os.remove os.unlink os.rename os.replace os.mkdir os.makedirs os.rmdir os.removedirs os.renames os.chmod
        os.fchmod os.lchmod os.chown os.lchown os.fchown os.symlink os.link os.truncate os.ftruncate os.write os.pwrite
        os.mkfifo os.mknod os.utime os.setxattr os.sendfile os.copy_file_range shutil.copy shutil.copy2
        shutil.copyfile shutil.copyfileobj shutil.copytree shutil.copymode shutil.copystat shutil.move shutil.rmtree
        shutil.unpack_archive shutil.make_archive shutil.chown tempfile.NamedTemporaryFile tempfile.TemporaryFile
        tempfile.mkstemp tempfile.mkdtemp tempfile.TemporaryDirectory tempfile.SpooledTemporaryFile
        zipfile.ZipFile().extractall zipfile.ZipFile().extract zipfile.ZipFile().write zipfile.ZipFile().writestr
        tarfile.open().extractall tarfile.open().extract tarfile.TarFile().extractall pathlib.Path().write_text
        pathlib.Path().write_bytes pathlib.Path().unlink pathlib.Path().mkdir pathlib.Path().rename
        pathlib.Path().replace pathlib.Path().chmod pathlib.Path().touch pathlib.Path().symlink_to
        pathlib.Path().hardlink_to pathlib.Path().rmdir sqlite3.connect dbm.open shelve.open
        logging.FileHandler logging.handlers.RotatingFileHandler urllib.request.urlretrieve ctypes.CDLL().unlink
        fileinput.input distutils.file_util distutils.dir_util
    """,
    "decode": """
        base64.b64decode base64.b32decode base64.b16decode base64.b85decode base64.a85decode base64.z85decode
        base64.b32hexdecode base64.urlsafe_b64decode base64.standard_b64decode base64.decodebytes base64.decodestring
        base64.decode binascii.a2b_base64 binascii.a2b_hex binascii.unhexlify binascii.a2b_uu binascii.a2b_qp
        binascii.rledecode_hqx zlib.decompress zlib.decompressobj gzip.decompress gzip.open gzip.GzipFile
        bz2.decompress bz2.BZ2Decompressor bz2.open lzma.decompress lzma.LZMADecompressor lzma.open
        compression.zlib.decompress compression.gzip.decompress compression.bz2.decompress compression.lzma.decompress
        compression.zstd.decompress zstandard.decompress zstandard.ZstdDecompressor brotli.decompress
        codecs.decode codecs.getdecoder codecs.getincrementaldecoder bytes.fromhex bytearray.fromhex uu.decode
        quopri.decodestring marshal.loads marshal.load pickle.loads pickle.load pickle.Unpickler dill.loads
        cloudpickle.loads cryptography.fernet.Fernet Crypto.Cipher Cryptodome.Cipher nacl.secret
        cryptography.hazmat.primitives.ciphers pyaes rsa.decrypt
    """,
    "dynamic-code": """
        ctypes.pythonapi.PyRun_SimpleString ctypes.pythonapi.PyRun_String
        exec eval compile execfile runpy.run_path runpy.run_module runpy._run_code runpy._run_module_code
        code.InteractiveInterpreter code.InteractiveConsole code.interact codeop.compile_command
        types.FunctionType types.CodeType types.LambdaType marshal.loads marshal.load pickle.loads pickle.load
        pickle.Unpickler dill.loads cloudpickle.loads jsonpickle.decode yaml.unsafe_load yaml.load shelve.open
        importlib.util.spec_from_file_location importlib.util.spec_from_loader importlib.util.module_from_spec
        importlib.machinery.SourceFileLoader importlib.machinery.SourcelessFileLoader
        importlib._bootstrap_external.SourceFileLoader imp.load_source imp.load_compiled imp.load_module
        zipimport.zipimporter ast.literal_eval.__globals__ timeit.timeit timeit.repeat timeit.Timer cProfile.run
        cProfile.runctx profile.run pdb.run pdb.runcall pdb.runeval bdb.Bdb().run trace.Trace().run
        doctest.run_docstring doctest.debug_src distutils.core.run_setup execnet.makegateway rlcompleter.Completer
        typing.ForwardRef inspect.currentframe().f_globals inspect.currentframe().f_builtins
    """,
    "native-code": """
        ctypes _ctypes cffi importlib.machinery.ExtensionFileLoader importlib._bootstrap_external.ExtensionFileLoader
        imp.load_dynamic _imp.create_dynamic _imp.exec_dynamic mmap.mmap numpy.ctypeslib sys.setdlopenflags
        sqlite3.connect().load_extension sqlite3.connect().enable_load_extension os.add_dll_directory
        distutils.ccompiler
    """,
    "import-machinery": """
        sys.meta_path sys.path_hooks sys.path_importer_cache sys.path.insert sys.path.append sys.path.extend
        sys.path.remove sys.path.clear sys.modules.__setitem__ sys.modules.update sys.modules.setdefault
        sys.modules.pop site.addsitedir site.addpackage importlib.reload importlib.abc.MetaPathFinder
        importlib.abc.Loader importlib.util.LazyLoader codecs.register imp.reload pkgutil.extend_path
    """,
    "monkeypatch": """
        sys.settrace sys.setprofile sys.addaudithook sys.monitoring threading.settrace threading.setprofile
        wrapt.wrap_function_wrapper wrapt.register_post_import_hook wrapt.patch_function_wrapper
        wrapt.when_imported gc.get_referents unittest.mock.patch forbiddenfruit.curse ctypes.pythonapi
        autowrapt.bootstrap gevent.monkey eventlet.monkey_patch
    """,
    "persistence": """
        winreg.SetValueEx winreg.CreateKey winreg.CreateKeyEx winreg.SetValue _winreg.SetValueEx crontab.CronTab
        win32serviceutil.InstallService win32service.CreateService dbus.SystemBus
    """,
    "threads": """
        threading.Thread threading.Timer threading.start_new_thread _thread.start_new_thread
        _thread.start_joinable_thread thread.start_new_thread concurrent.futures.ThreadPoolExecutor
        multiprocessing.pool.ThreadPool multiprocessing.dummy asyncio.to_thread
    """,
    "anti-analysis": """
        sys.gettrace sys._current_frames ctypes.windll.kernel32.IsDebuggerPresent
        ctypes.windll.kernel32.CheckRemoteDebuggerPresent ctypes.windll.kernel32.GetTickCount psutil.process_iter
        psutil.pids psutil.users cpuinfo.get_cpu_info
    """,
}

_TABLE: dict[str, tuple[Capability, ...]] = {}
for _capability, _words in _NAMES.items():
    for _name in _words.split():
        _TABLE[_name] = (*_TABLE.get(_name, ()), _capability)

_HARMLESS = frozenset(
    {"ctypes.util", "ctypes.sizeof", "ctypes.wintypes", "urllib.request.pathname2url", "urllib.request.url2pathname"}
)
DOWNLOADS = ("urllib.request", "urllib2", "urllib", "requests", "httpx", "http.client", "socket", "aiohttp", "urllib3")
EXECUTORS = frozenset({"exec", "eval", "compile", "execfile", "marshal.loads", "pickle.loads", "types.FunctionType",
                       "types.LambdaType", "dill.loads", "cloudpickle.loads", "ctypes.pythonapi.PyRun_SimpleString",
                       "ctypes.pythonapi.PyRun_String"})  # fmt: skip

MODULES = frozenset(
    """
    os sys subprocess builtins socket ctypes marshal pickle base64 codecs zlib importlib threading _thread urllib http
    shutil runpy types platform posix nt tempfile requests ssl pty binascii winreg signal
    """.split()
)
"""Modules that stand for themselves wherever another module has them as an attribute (``logging.os``)."""
_RENAMED = {
    "posix": "os",
    "nt": "os",
    "__builtin__": "builtins",
    "__builtins__": "builtins",
    "_socket": "socket",
    "_pickle": "pickle",
    "cPickle": "pickle",
    "_codecs": "codecs",
    "io": "builtins",
    "_io": "builtins",
    "urllib2": "urllib.request",
    "httplib": "http.client",
    "_ctypes": "ctypes",
    "_bz2": "bz2",
    "_lzma": "lzma",
    "compression": "",
}
_RENAMED_NAMES = {
    "codecs.open": "open",
    "os.fdopen": "open",
    "pathlib.PosixPath": "pathlib.Path",
    "pathlib.WindowsPath": "pathlib.Path",
    "importlib.__import__": "__import__",
    "importlib._bootstrap._gcd_import": "importlib.import_module",
    "importlib._bootstrap.__import__": "__import__",
    "tarfile.TarFile.open": "tarfile.open",
    "ctypes.PyDLL": "ctypes.CDLL",
    "ctypes.WinDLL": "ctypes.CDLL",
    "ctypes.OleDLL": "ctypes.CDLL",
    "ctypes.cdll.LoadLibrary": "ctypes.CDLL",
    "types.MethodType": "functools.partial",
}


def canonical(name: str) -> str:
    """One spelling for what has several: ``posix.system``, ``shutil.os.system`` and ``os.system`` are the last."""
    parts = name.split(".")
    for index in range(len(parts) - 1, 0, -1):
        plain = parts[index].lstrip("_")
        if plain in MODULES and plain != parts[index - 1] and not name.startswith("importlib."):
            parts = [plain, *parts[index + 1 :]]
            break
    first = _RENAMED.get(parts[0])
    if first is not None:
        parts[:1] = first.split(".") if first else []
    if len(parts) > 1 and parts[0] == "builtins" and parts[1] != "__dict__":
        parts = parts[1:]
    joined = ".".join(parts)
    if joined in _RENAMED_NAMES:
        return _RENAMED_NAMES[joined]
    if parts[:2] == ["ctypes", "cdll"] and len(parts) > 2:
        return ".".join(["ctypes.CDLL()", *parts[3:]])
    return joined


def abilities(name: str) -> tuple[Capability, ...]:
    """What can be done with what has this canonical name."""
    while name:
        if name in _HARMLESS:
            return ()
        found = _TABLE.get(name)
        if found is not None:
            return found
        shorter = name.removesuffix("()")
        if shorter == name:
            shorter = name.rpartition(".")[0]
        name = shorter
    return ()


def is_download(name: str) -> bool:
    """Whether what a call of this gives came over the network."""
    return "network" in abilities(name)


def below(module: str) -> tuple[str, ...]:
    """The names of a module that the tables have: what ``from module import *`` may bring."""
    prefix = module + "."
    names = {name[len(prefix) :].partition(".")[0] for name in (*_TABLE, "os.environ") if name.startswith(prefix)}
    return tuple(sorted(name for name in names if "(" not in name))
