"""Install vaelib and the packages of some extras, in the versions of requirements.lock.

Every file is compared with its SHA-256 in requirements.hashes before it is installed, but for those
of PyTorch and torchvision: each index has its own builds of these.

Usage: .venv/bin/python install.py EXTRA...   (make install and make test do it)

uv does it in seconds. It does not read pip's settings (index, certificates and the like), so it
gets them here. Where uv cannot be had, or fails, pip does the same.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = "requirements.lock"
HASHES = "requirements.hashes"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
PIP_HASHED = (*PIP, "install", "--quiet", "--no-deps", "--require-hashes", "--requirement")
UV = (sys.executable, "-m", "uv", "pip")
# pip's setting → uv's variable, and what stands between several values there.
SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "proxy": ("ALL_PROXY", " "),
}

# How the beginnings of those variables of pip and uv continue that say how packages are reached.
REACH = (
    "(DEFAULT_|EXTRA_)?INDEX|FIND_LINKS|NO_INDEX|(TRUSTED|INSECURE)_HOST|(CLIENT_)?CERT|NATIVE_TLS|"
    "SYSTEM_CERTS|PROXY|(DEFAULT_)?TIMEOUT|HTTP_|RETRIES|KEYRING|(NO_)?CACHE|OFFLINE|CONFIG_FILE|"
    "TORCH_BACKEND|LINK_MODE|CONCURRENT"
)


def uv_environment(pip_settings: str, environment: dict[str, str]) -> dict[str, str]:
    """Translate pip's settings into uv's variables.

    Args:
        pip_settings: what ``pip config list`` prints: lines such as ``global.index-url='…'``.
        environment: of this process. What it says to uv itself is left as it is.

    Returns:
        The environment for uv. A folder that is not there is left out: pip passes over it, uv
        would stop.
    """
    found: dict[str, str] = {}
    for source in ("global.", "install.", ":env:."):  # the later one wins, as with pip
        for line in pip_settings.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(source) and (setting := SETTINGS.get(name.removeprefix(source))):
                variable, separator = setting
                values = filter(_is_there, value.strip("'\"").replace("\\n", " ").split())
                found[variable] = separator.join(values)
    found = {variable: value for variable, value in found.items() if value}
    # As pip does: the best version of all indexes, not the first index that has any.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match"} | found | environment


def _is_there(place: str) -> bool:
    path = place.removeprefix("file://")
    return not path.startswith("/") or Path(path).exists()


def close() -> None:
    """Keep settings away that would install something else, elsewhere, or nothing at all."""
    for name in list(os.environ):
        kind, _, setting = name.partition("_")
        if name == "PYTHONHOME" or (kind in ("PIP", "UV") and not re.match(REACH, setting)):
            del os.environ[name]
    os.environ["PIP_USER"] = "0"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if not cache.is_absolute() or not os.access(there, os.W_OK):  # or there is no home at all
        os.environ.setdefault("UV_NO_CACHE", "1")


def require_pip() -> None:
    """Get pip where there is none, as in an environment that uv made; or end with a sentence."""
    if subprocess.run((*PIP, "--version"), capture_output=True).returncode:
        ensure = (sys.executable, "-m", "ensurepip")
        if subprocess.run(ensure, capture_output=True).returncode:
            sys.exit(
                f"{sys.executable} has neither pip nor ensurepip: make its environment with "
                "`python3 -m venv`, or with `uv venv --seed`"
            )


def with_uv(extras: list[str]) -> bool:
    """Install with uv; return whether that was possible."""
    pip_settings = subprocess.run(
        (*PIP, "config", "list"), capture_output=True, text=True, check=True
    ).stdout
    environment = uv_environment(pip_settings, dict(os.environ))

    def done(*command: str, env: dict[str, str] = environment, **more) -> bool:
        return subprocess.run(command, cwd=ROOT, env=env, **more).returncode == 0

    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder, "uv.txt")
        requirement.write_text(hashed("uv"))
        if not done(*PIP_HASHED, str(requirement)):
            return False
    # PyTorch's own index has builds that fit the machine: small ones where there is no GPU. uv
    # knows its address; whether it can be reached shows here, at once, installed or not.
    install = (*UV, "install", "--python", sys.executable, "--quiet")
    install += ("--constraint", LOCK, "--constraint", HASHES)
    if sys.dont_write_bytecode:  # then no later process compiles what it imports, and all are slow
        install += ("--compile-bytecode",)
    fitting = (*install, "--torch-backend", "auto")
    ask = (*fitting, "--dry-run", "--reinstall", "--no-deps", "torch")
    if done(*ask, env=environment | {"UV_HTTP_RETRIES": "0"}, stderr=subprocess.DEVNULL):
        install = fitting
    return done(*install, "setuptools") and done(*install, *project(extras))


def hashed(name: str) -> str:
    """Return the entry of a package: its version, and the hashes of its files on further lines."""
    text = (ROOT / HASHES).read_text(encoding="utf-8")
    return re.search(rf"^{name}==(?:.*\\\n)*.*\n", text, re.MULTILINE)[0]


def project(extras: list[str]) -> tuple[str, ...]:
    """Name what is installed: this folder with its extras, built with the locked setuptools."""
    return "--no-build-isolation", "--editable", f".[{','.join(extras)}]"


def main(extras: list[str]) -> None:
    """Install with uv, or else with pip."""
    close()
    require_pip()
    if with_uv(extras):
        return
    print("uv could not install it; pip does, more slowly", file=sys.stderr)
    of_project = (*PIP, "install", "--quiet", "--constraint", LOCK, *project(extras))
    for command in ((*PIP_HASHED, HASHES), of_project):
        if subprocess.run(command, cwd=ROOT).returncode:
            sys.exit(
                "the packages could not be installed: look above for the cause, mend it, and start "
                "again; what has been installed so far does no harm"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
