"""The installation: pip's settings reach uv, and what uv cannot do, pip does."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import install
import pytest

SETTINGS = r"""
:env:.default-timeout='180'
:env:.find-links='{there} /not/there file:///nor/there'
global.extra-index-url='https://one.example/simple https://two.example/simple'
global.find-links='https://hidden.example/wheels'
global.index-url='https://global.example/simple'
global.quiet='1'
install.cert='{there}/ca.pem'
install.index-url='https://install.example/simple'
"""


def test_uv_gets_pips_settings(tmp_path):
    (tmp_path / "ca.pem").touch()
    found = install.uv_environment(SETTINGS.format(there=tmp_path), {"PATH": "/bin"})
    assert found == {
        "PATH": "/bin",
        "SSL_CERT_FILE": f"{tmp_path}/ca.pem",
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_FIND_LINKS": str(tmp_path),
        "UV_HTTP_TIMEOUT": "180",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_is_said_to_uv_itself_counts_more():
    said = {"UV_DEFAULT_INDEX": "https://mine.example/simple"}
    settings = "global.index-url='https://global.example/simple'"
    assert install.uv_environment(settings, said)["UV_DEFAULT_INDEX"] == said["UV_DEFAULT_INDEX"]


def test_pip_itself_agrees_on_the_names(tmp_path):
    """What pip prints of its settings is what is read here."""
    done = subprocess.run(
        [*install.PIP, "config", "list"],
        env={"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "https://a.example/simple"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = install.uv_environment(done.stdout, {})
    assert found["UV_DEFAULT_INDEX"] == "https://a.example/simple"


FAKE = """
import json, sys
words = sys.argv[2:]
with open(sys.argv[1], "a") as log:
    log.write(json.dumps(words) + "\\n")
refused = {refused}
sys.exit(any(set(what.split()) <= set(words) for what in refused))
"""


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Record what is run instead of running it; commands that contain given words fail."""

    before = dict(os.environ)

    def run(*refused, dont_write_bytecode=False):
        monkeypatch.setattr(sys, "dont_write_bytecode", dont_write_bytecode)
        script, log = tmp_path / "fake.py", tmp_path / "log"
        script.write_text(FAKE.format(refused=refused))
        for name in ("pip", "uv"):
            fake = (sys.executable, str(script), str(log), name)
            monkeypatch.setattr(install, name.upper(), fake)
            if name == "pip":
                monkeypatch.setattr(install, "PIP_HASHED", (*fake, *install.PIP_HASHED[4:]))
        install.main(["book"])
        return [json.loads(line) for line in log.read_text().splitlines()]

    yield run
    os.environ.clear()
    os.environ.update(before)


PROJECT = ["--no-build-isolation", "--editable", ".[book]"]
HASHED = ["--constraint", "requirements.lock", "--constraint", "requirements.hashes"]
BY_UV = ["uv", "install", "--python", sys.executable, "--quiet", *HASHED]
BY_PIP = ["pip", "install", "--quiet"]


def test_uv_installs_what_the_lock_says_with_a_pytorch_that_fits(commands):
    *_, setuptools, project = commands()
    assert setuptools == [*BY_UV, "--torch-backend", "auto", "setuptools"]
    assert project == [*BY_UV, "--torch-backend", "auto", *PROJECT]


def test_uv_itself_is_compared_with_its_hash(commands):
    _, _, (*command, file), *_ = commands()
    assert command == [*BY_PIP, "--no-deps", "--require-hashes", "--requirement"]
    assert Path(file).name == "uv.txt"
    name, *hashes = install.hashed("uv").replace("\\\n", " ").split()
    assert name.startswith("uv==")
    assert len(hashes) > 5
    assert all(hash.startswith("--hash=sha256:") for hash in hashes)


def test_where_python_writes_no_bytecode_uv_does(commands):
    *_, project = commands(dont_write_bytecode=True)
    assert project == [*BY_UV, "--compile-bytecode", "--torch-backend", "auto", *PROJECT]


def test_without_pytorchs_own_index_the_ordinary_one_serves(commands):
    assert commands("uv --torch-backend")[-1] == [*BY_UV, *PROJECT]


@pytest.mark.parametrize("refused", ["uv setuptools", "uv .[book]"])
def test_what_uv_cannot_do_pip_does(commands, refused, capfd):
    assert commands(refused)[-2:] == [
        [*BY_PIP, "--no-deps", "--require-hashes", "--requirement", "requirements.hashes"],
        [*BY_PIP, "--constraint", "requirements.lock", *PROJECT],
    ]
    assert "pip does" in capfd.readouterr().err


def test_settings_that_would_install_elsewhere_are_kept_away(commands, monkeypatch):
    monkeypatch.setenv("PIP_USER", "1")
    out = ("PYTHONHOME", "PIP_TARGET", "PIP_DRY_RUN", "PIP_REQUIRE_HASHES", "PIP_CONSTRAINT")
    out += ("UV_TARGET", "UV_SYSTEM_PYTHON", "UV_EXCLUDE_NEWER", "UV_OVERRIDE", "UV_CONSTRAINT")
    reach = ("PIP_INDEX_URL", "PIP_NO_CACHE_DIR", "PIP_CERT", "UV_DEFAULT_INDEX", "UV_HTTP_TIMEOUT")
    for name in (*out, *reach):
        monkeypatch.setenv(name, "mine")
    install.close()
    assert os.environ["PIP_USER"] == "0"
    assert not set(out) & os.environ.keys()
    assert set(reach) <= os.environ.keys()


def test_where_the_users_cache_cannot_be_written_uv_keeps_none(commands, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "there"))
    monkeypatch.delenv("UV_NO_CACHE", raising=False)
    install.close()
    assert "UV_NO_CACHE" not in os.environ
    monkeypatch.setattr(os, "access", lambda folder, mode: folder != tmp_path)  # root may all
    install.close()
    assert os.environ["UV_NO_CACHE"] == "1"


def test_a_user_without_a_home_can_install(commands, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "UV_NO_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 123_456)  # it has no entry
    install.close()
    assert os.environ["UV_NO_CACHE"] == "1"


def test_an_environment_without_pip_gets_it_or_a_sentence(tmp_path, monkeypatch):
    """As uv makes one."""
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(install, "PIP", (str(python), "-m", "pip"))
    install.require_pip()
    subprocess.run([python, "-m", "pip", "--version"], check=True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setattr(install, "PIP", ("/bin/false",))
    with pytest.raises(SystemExit, match="has neither pip nor ensurepip: make its environment"):
        install.require_pip()


def test_what_neither_can_do_ends_in_a_sentence(commands):
    with pytest.raises(SystemExit, match="the packages could not be installed: look above"):
        commands("--editable")


def test_every_locked_package_has_hashes_but_pytorchs():
    lines = (install.ROOT / install.LOCK).read_text().splitlines()
    pinned = dict(line.split("==") for line in lines)
    lock = {f"{re.sub('[-_.]+', '-', name).lower()}=={pinned[name]}" for name in pinned}
    entries = (install.ROOT / install.HASHES).read_text().replace("\\\n", " ").splitlines()
    hashed = {entry.split()[0]: entry.split()[1:] for entry in entries}
    assert {line.partition("==")[0] for line in lock - set(hashed)} == {"torch", "torchvision"}
    assert set(hashed) <= lock
    for name, hashes in hashed.items():
        assert hashes, name
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", word) for word in hashes), name


@pytest.fixture
def wheel(tmp_path):
    """The smallest package."""
    made = tmp_path / "wheels" / "smallest-1.0-py3-none-any.whl"
    made.parent.mkdir()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("smallest.py", "")
        info = "smallest-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: smallest\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return made


@pytest.mark.parametrize("by", ["uv", "pip"])
def test_a_package_with_other_bytes_is_not_installed(wheel, tmp_path, by):
    (tmp_path / "lock").write_text("smallest==1.0\n")
    locked = ["--constraint", "lock", "--constraint", "hashes"]
    ways = {
        "uv": [*install.UV, "install", "--offline", "--no-cache", *locked, "smallest"],
        "pip": [
            *install.PIP,
            "install",
            "--no-deps",
            "--require-hashes",
            "--requirement",
            "hashes",
        ],
    }
    command = [*ways[by], "--no-index", "--find-links", wheel.parent, "--target", "there"]

    def code(hash):
        (tmp_path / "hashes").write_text(f"smallest==1.0 --hash=sha256:{hash}\n")
        return subprocess.run(command, cwd=tmp_path, capture_output=True).returncode

    assert code("0" * 64) != 0
    assert not list(tmp_path.glob("there/smallest*"))
    assert code(hashlib.sha256(wheel.read_bytes()).hexdigest()) == 0
    assert list(tmp_path.glob("there/smallest*"))
