"""Public indicators of attacks on Python packages: kind, value, what it is and where it was reported."""

_LITELLM = "litellm 1.82.7 and 1.82.8 of March 2026 (PYSEC-2026-2, MAL-2026-2144, GHSA-5mg7-485q-xm76)"
_LITELLM_2 = "litellm 1.107.0, the second compromise, of October 2026"
_UPSTYLE = "the UPSTYLE backdoor of April 2024 (CVE-2024-3400)"
_LIGHTNING = "lightning 2.6.2 and 2.6.3 of April 2026 (GHSA-w37p-236h-pfx3)"
_HADES = "the campaign of June 2026 that starts Bun from .pth files (google/osv.dev#5503)"

INDICATORS: tuple[tuple[str, str, str], ...] = (
    ("sha256", "71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238", f"litellm_init.pth of {_LITELLM}"),
    ("sha256", "a0d229be8efcb2f9135e2ad55ba275b76ddcfeb55fa4370e0a522a5bdee0120b", f"proxy_server.py of {_LITELLM}"),
    ("sha256", "6cf223aea68b0e8031ff68251e30b6017a0513fe152e235c26f248ba1e15c92a", f"sysmon.py dropped by {_LITELLM}"),
    ("sha256", "3de2a4392b8715bad070b2ae12243f166ead37830f7c6d24e778985927f9caac", f"a sample of {_UPSTYLE}"),
    ("release", "litellm==1.82.7", _LITELLM),
    ("release", "litellm==1.82.8", _LITELLM),
    ("release", "litellm==1.107.0", _LITELLM_2),
    ("release", "lightning==2.6.2", _LIGHTNING),
    ("release", "lightning==2.6.3", _LIGHTNING),
    ("release", "telnyx==4.87.1", "telnyx 4.87.1 of March 2026"),
    ("release", "guardrails-ai==0.10.1", "guardrails-ai 0.10.1 of May 2026 (its SECURITY_ADVISORY.md)"),
    ("release", "pyphetools==0.9.120", _HADES),
    ("release", "gpsea==0.9.14", _HADES),
    ("release", "ppkt2synergy==0.1.1", _HADES),
    ("release", "embiggen==0.11.97", _HADES),
    ("release", "phenopacket-store-toolkit==0.1.7", _HADES),
    ("name", "litellm_init.pth", _LITELLM),
    ("name", "phenopacket_store_toolkit-setup.pth", _HADES),
    ("path", "*/.config/sysmon/sysmon.py", _LITELLM),
    ("path", "*/.config/systemd/user/sysmon.service", _LITELLM),
    ("text", "models.litellm.cloud", _LITELLM),
    ("text", "checkmarx.zone/raw", _LITELLM),
    ("text", "tpcp.tar.gz", _LITELLM),
    ("text", "/tmp/.bun_ran", _HADES),
)
