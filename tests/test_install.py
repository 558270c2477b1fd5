"""The installation: pip's settings reach uv, and what uv cannot do, pip does."""

import json
import subprocess
import sys

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

    def run(*refused, dont_write_bytecode=False):
        monkeypatch.setattr(sys, "dont_write_bytecode", dont_write_bytecode)
        script, log = tmp_path / "fake.py", tmp_path / "log"
        script.write_text(FAKE.format(refused=refused))
        for name in ("pip", "uv"):
            monkeypatch.setattr(
                install, name.upper(), (sys.executable, str(script), str(log), name)
            )
        install.main(["book"])
        return [json.loads(line) for line in log.read_text().splitlines()]

    return run


PROJECT = ["--no-build-isolation", "--editable", ".[book]"]
LOCKED = ["--quiet", "--constraint", "requirements.lock"]
BY_UV = ["uv", "install", "--python", sys.executable, *LOCKED]
BY_PIP = ["pip", "install", *LOCKED]


def test_uv_installs_what_the_lock_says_with_a_pytorch_that_fits(commands):
    *_, setuptools, project = commands()
    assert setuptools == [*BY_UV, "--torch-backend", "auto", "setuptools"]
    assert project == [*BY_UV, "--torch-backend", "auto", *PROJECT]


def test_where_python_writes_no_bytecode_uv_does(commands):
    *_, project = commands(dont_write_bytecode=True)
    assert project == [*BY_UV, "--compile-bytecode", "--torch-backend", "auto", *PROJECT]


def test_without_pytorchs_own_index_the_ordinary_one_serves(commands):
    assert commands("uv --torch-backend")[-1] == [*BY_UV, *PROJECT]


@pytest.mark.parametrize("refused", ["pip uv", "uv .[book]"])
def test_what_uv_cannot_do_pip_does(commands, refused, capfd):
    assert commands(refused)[-2:] == [
        [*BY_PIP, "setuptools"],
        [*BY_PIP, *PROJECT],
    ]
    assert "pip does" in capfd.readouterr().err


def test_what_neither_can_do_is_an_error(commands):
    with pytest.raises(subprocess.CalledProcessError):
        commands("--editable")
