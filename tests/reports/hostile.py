"""A hundred names and lines of code that an attacker chose for what reads a report."""

ESCAPES = [
    *(
        "\x1b[31m",
        "\x1b]0;owned\x07",
        "\x1b]8;;http://index.example\x07x\x1b]8;;\x07",
        "\x9b31m",
        "\x1bc",
        "\x1b[2J\x1b[H",
    ),
    *(
        "\x1b[1A\x1b[2K",
        "\x1bP+q\x1b\\",
        "\x1b_x\x1b\\",
        "\x1b[6n",
        "\x07",
        "\x08\x08\x08",
        "\x0e",
        "\x7f",
        "\x00",
        "\x90q\x9c",
    ),
]
ORDERS = [
    *(
        "\u202egnp.exe",
        "\u2066x\u2069",
        "\u200bx",
        "\ufeffx",
        "\u2028x",
        "\u2029x",
        "\x85x",
        "a\u0300" * 40,
        "\U000e0041x",
    ),
    *(
        "\u00adx",
        "\u3164",
        "\u2800",
        "\ud800x",
        "\udcffx",
        "caf\udce9",
        "\ufe0fx",
        " " * 300 + "x",
        "\u180ex",
        "\u061cx",
    ),
]
COMMANDS = [
    *("::error::x", "\n::error file=a,line=1::owned", "\r\n::add-mask::s", "::stop-commands::x", "%0A::warning::x"),
    *("##[error]x", "a ##[add-mask]s", "##[stop-commands]x", "##vso[task.setvariable variable=a]b", "##[group]"),
    *("x,file=/etc/passwd", "x:line=1", "::set-output name=a::b", "  ::debug::x", "\t::error::x", "##teamcity[x]"),
    *("::\u202eerror::x", "##\u200b[error]x", "%25%0D%0A", "::error title=a::b%0A::c"),
]
URIS = [
    *("javascript:alert(1)", "http://index.example/x", "//index.example/x", "../../../etc/passwd", "..", ".", "./x"),
    *(
        "a?b#c",
        "%2e%2e%2fetc",
        "a b",
        "a:b",
        "file:///etc/passwd",
        "\\\\host\\share",
        "x@index.example",
        "data:text/html,x",
    ),
    *("[x](http://index.example)", "{0}", "{{x}}", "[x](1)", "a;b&c=d", "a/../../b", "~root", "%", "%zz", "|x|"),
]
MARKUP = [
    *(
        "<script>alert(1)</script>",
        "</script><script>x",
        "<img src=x onerror=x>",
        '"><b>',
        "'><b>",
        "&lt;b&gt;",
        "<!--",
    ),
    *("]]>", "</style>", "<a href=http://index.example>x</a>", "| a | b |", "# x", "- [ ] x", "`x`", "```\nx\n```"),
    *(
        "![x](http://index.example/x.png)",
        "@someone",
        "#1",
        "GH-1",
        "https://index.example/x",
        "**x**",
        "<details>",
        "~~x~~",
    ),
    *(
        "{{ 7*7 }}",
        "{% include 'x' %}",
        "${7*7}",
        "[bold red]x[/]",
        ":smile:",
        "\\<b>",
        "</pre></code><b>",
        "&#60;b&#62;",
    ),
]
HOSTILE = [*ESCAPES, *ORDERS, *COMMANDS, *URIS, *MARKUP]
