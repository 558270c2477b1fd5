"""The variables that a build's processes get, all in one place: what is not named here stays out.

Settings of a user or a machine reach programs through variables, and then a figure has other
colours, a kernel another Python, a page another year, and a commit is that of another repository.
Names are patterns, as in a shell.
"""

import os
from fnmatch import fnmatchcase

PASSED = (
    # Where programs, folders and the user are.
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "XDG_*"),
    *("LD_LIBRARY_PATH", "DYLD_*", "NIX_*", "VIRTUAL_ENV", "CONDA_*"),
    # Where Python finds packages, and how it writes them. Not PYTHONSTARTUP, which runs the user's
    # code in a kernel, PYTHONOPTIMIZE, which drops assertions, PYTHONWARNINGS or PYTHONHOME.
    *("PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
    # How much of the machine is used. Not ATEN_*, MKL_*, ONEDNN_*, TORCH_*, which change results.
    *("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "NVIDIA_*"),
    # How the network is reached, for MNIST, and pip's and uv's own settings for it.
    *("*_proxy", "*_PROXY", "SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_*", "UV_*"),
    # What the terminal is.
    *("TERM", "COLUMNS", "LINES", "NO_COLOR"),
    # Ours, and what make says to TeX. Not TEXINPUTS and the like, which bring other styles.
    *("VAELIB_*", "SOURCE_DATE_EPOCH", "LATEXMKOPTS"),
)
# Left out, beside those: MATPLOTLIBRC and MPLBACKEND (figures), JUPYTER_* (another kernel under the
# name of ours), IPYTHONDIR and SPHINXOPTS (pages), GIT_* (another repository).
GIVEN = {
    # Text is UTF-8, numbers have points and dates are those of UTC, whatever the machine says.
    **{"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "TZ": "UTC"},
    # Without these, docutils and TeX would read what the user has in ~/.docutils and ~/texmf.
    **dict.fromkeys(("DOCUTILSCONFIG", "TEXMFHOME"), os.devnull),
}
FOLDERS = ("VAELIB_DATA", "VAELIB_BOOK")  # that may be given as seen from here


def closed() -> dict[str, str]:
    """Return what is left of this process's environment for those that a build starts.

    A relative folder becomes an absolute one: other processes have other current folders.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if any(fnmatchcase(name, pattern) for pattern in PASSED)
    }
    for name in FOLDERS:
        if environment.get(name):
            environment[name] = os.path.abspath(os.path.expanduser(environment[name]))
    return environment | GIVEN


def close() -> None:
    """Leave no more than that to this process itself, and so to all that it starts."""
    left = closed()
    os.environ.clear()
    os.environ.update(left)
