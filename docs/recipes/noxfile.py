"""envcheck is installed in an environment of its own, outside of nox, and looks at the one that nox made."""

import nox


@nox.session
def tests(session: nox.Session) -> None:
    """The tests, then a look at the environment that they ran in."""
    session.install("--require-hashes", "-r", "requirements.txt")
    session.run("python", "-m", "pytest")
    session.run("envcheck", "scan", "--lock", "requirements.txt", session.virtualenv.location, external=True)
