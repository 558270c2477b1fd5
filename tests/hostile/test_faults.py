"""What a build does when things go wrong: each fault in a copy of the book built for tests.

Slow: `make test-hostile` runs these, `make test` does not.
"""

import os
import random
import re
import shlex
import shutil
import signal
import stat
import string
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from vaelib.book.build import NOT_IN_A_PATH
from vaelib.plumbing import files

from ..book.conftest import ROOT, smoke_site  # noqa: F401
from ..signals import heed
from . import kills

PROGRAMS = Path(sys.executable).parent
BUILD = [PROGRAMS / "jupyter-book", "build", "book/", "-W", "-n", "--keep-going"]
SMOKE = os.environ | {"VAELIB_RECIPE": "smoke", "NO_COLOR": "1"}
# Root may write everywhere, so it gives that right up where a test is about rights.
AS_OWNER = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--"]
    if os.geteuid() == 0
    else []
)


CORE = pytest.mark.core  # those ten that every change must pass: see .ci/run


@pytest.fixture
def copy(smoke_site, tmp_path):  # noqa: F811
    """A copy of the built book, to break."""
    return shutil.copytree(smoke_site.root, tmp_path / "a copy", symlinks=True)


def build(folder, *, before=(), **environment):
    done = subprocess.run(
        [*before, *BUILD],
        cwd=folder,
        env=SMOKE | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
    )
    return done.returncode, done.stdout


def refused(folder, message, **more):
    """Build; check that it fails in one sentence, which is the last line."""
    code, output = build(folder, **more)
    assert code == 1, output
    assert "Traceback" not in output
    last = output.rstrip().splitlines()[-1]
    assert last.startswith("the book was not built: "), output
    assert message in last
    return output


def pages(folder):
    html = folder / "book" / "_build" / "html"
    return {
        str(path.relative_to(html)): path.read_text("utf-8", errors="replace")
        for path in html.rglob("*.html")
    }


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.fixture
def read_only():
    """Make folders read-only, and writable again at the end."""
    made = []

    def lock(folder):
        made.append(folder)
        folder.chmod(0o555)

    yield lock
    for folder in made:
        folder.chmod(0o755)


# What pages show is what was measured.


TOTAL = ('"total": ', '"total": 123.456, "was": ')
EDITS = {
    "results": {
        "bce/losses.json": TOTAL,
        "mse/history.csv": ("\n1", "\n9"),
        "compare/numbers.json": ("{", '{"edited": 123.456,'),
        "model/page.json": ("{", ""),
    },
    "files": {
        "bce/SHA256SUMS": ("losses.json", "losses.jsno"),
        "mse/notebook.ipynb": ("One", "No"),
        "mse-elbo/figures/curves.svg": ("<svg", "<svg id='edited'"),
    },
}


@pytest.mark.parametrize("edits", [pytest.param("results", marks=CORE), "files"])
def test_edited_results_are_made_again(copy, edits):
    executed, shown = copy / "book" / "executed", pages(copy)
    before = {name: (executed / name).read_bytes() for name in EDITS[edits]}
    for name, (old, new) in EDITS[edits].items():
        edit(executed / name, old, new)
    code, output = build(copy)
    assert code == 0, output
    for name, content in before.items():
        notebook, _, file = name.partition("/")
        said = {"page.json": "", "SHA256SUMS": " or deleted: losses.jsno"}
        assert f"notebook {notebook}: damaged{said.get(file, f' or deleted: {file}')}" in output
        if file not in ("page.json", "notebook.ipynb", "SHA256SUMS"):  # those say how it came
            assert (executed / name).read_bytes() == content
    again = pages(copy)
    assert "123.456" not in "".join(again.values())
    assert again.keys() == shown.keys()


def test_truncated_weights_are_trained_again(copy):
    weights = copy / "book" / "executed" / "bce" / "weights.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(before[:1000])
    code, output = build(copy)
    assert code == 0, output
    assert (
        "bce: trained again: ../bce: weights.safetensors is gone, or not what was saved" in output
    )
    assert weights.read_bytes() == before


def test_an_edited_summary_is_derived_again(copy):
    file = copy / "book" / "_build" / "reproduction.json"
    before, words = file.read_bytes(), refusals(copy)
    edit(file, '"not reproduced"', '"reproduced"')
    code, output = build(copy)
    assert code == 0, output
    assert file.read_bytes() == before
    assert refusals(copy) == words


def refusals(folder):
    return {name: page.count("not reproduced") for name, page in pages(folder).items()}


def test_a_record_under_another_name_is_refused(copy):
    records = copy / "book" / "recorded" / "records"
    name = "original-bce-beta0.5-d2-seed{}.json"
    shutil.copy(records / name.format(0), records / name.format(9))
    refused(copy, f"{name.format(9)}: settings are those of {name.format(0)[:-5]}")


@CORE
def test_a_record_that_is_gone_is_named(copy):
    for name in ("original-bce-beta0.5-d2-seed0", "report-bce-beta0.5-d2-seed0"):
        (copy / "book" / "recorded" / "records" / f"{name}.json").unlink()
    code, output = build(copy)
    assert code == 0, output
    assert re.search(r"records: \d+ of \d+ parts are stale: .*training \(original\)", output)
    table = pages(copy)["all-runs.html"]
    assert "not there" in table


# What the system refuses.


def test_runs_that_cannot_be_written(copy, read_only):
    shutil.rmtree(copy / "book" / "executed" / "bce")
    read_only(copy / "book" / "executed")
    output = refused(copy, "Permission denied: ", before=AS_OWNER)
    assert "notebook bce" not in output


@CORE
def test_a_folder_of_pages_that_cannot_be_written(copy, read_only):
    shutil.rmtree(copy / "book" / "executed" / "bce")
    read_only(copy / "book" / "_build")
    output = refused(copy, "Permission denied: ", before=AS_OWNER)
    assert "notebook bce" not in output


@CORE
def test_no_more_room(copy):
    """A limit of the size of files stands in for a full disk."""
    shutil.rmtree(copy / "book" / "executed" / "bce")
    limited = ["bash", "-c", 'ulimit -f 100; exec "$@"', "limited"]
    code, output = build(copy, before=limited)
    assert code == 1
    assert output.rstrip().splitlines()[-1].startswith("the book was not built: ")
    assert "File too large" in output
    assert not (copy / "book" / "executed" / "bce").exists()
    assert build(copy)[0] == 0


def test_a_home_that_cannot_be_written_leaves_no_trace(copy, tmp_path, read_only):
    shutil.rmtree(copy / "book" / "executed" / "model")
    home = tmp_path / "zzhome"
    home.mkdir()
    read_only(home)
    more = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    code, output = build(copy, before=AS_OWNER, **more)
    assert code == 0, output
    assert "notebook model: done" in output
    assert "zzhome" not in "".join(pages(copy).values())


@CORE
def test_settings_of_the_user_change_no_figure(copy, tmp_path):
    model = copy / "book" / "executed" / "model"
    before = (model / "figures" / "samples.svg").read_bytes()
    shutil.rmtree(model)
    home = tmp_path / "home"
    startup = home / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("print('my own start')")
    (home / ".config" / "matplotlib").mkdir(parents=True)
    (home / ".config" / "matplotlib" / "matplotlibrc").write_text("savefig.facecolor: red\n")
    code, output = build(copy, HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"))
    assert code == 0, output
    assert (model / "figures" / "samples.svg").read_bytes() == before
    assert "my own start" not in (model / "notebook.ipynb").read_text()


# What a user can write wrongly.


def test_an_unknown_recipe(copy):
    output = refused(copy, "recipe is 'smok'; expected one of", VAELIB_RECIPE="smok")
    assert len(output.splitlines()) < 12


def test_a_wrong_list_of_notebooks(copy):
    (copy / "book" / "notebooks.yml").write_text("bce: {template: trian, title: a}\n")
    refused(copy, "did you mean 'train'")


def test_a_value_that_is_not_there_is_named_with_its_line(copy):
    page = copy / "book" / "references.md"
    page.write_text(page.read_text() + "\n{value}`bce:losses.tets.total:.2f`\n")
    refused(copy, "there is no entry 'tets'; did you mean 'test'?")


@pytest.mark.parametrize("name", ["50%20off", "why?", "x [1]", "a*b", "back\\slash"])
def test_a_path_that_cannot_work_is_refused_at_once(smoke_site, tmp_path, name):  # noqa: F811
    folder = shutil.copytree(
        smoke_site.root,
        tmp_path / name,
        symlinks=True,
        ignore=lambda folder, names: {"executed", "_build"} & set(names),
    )
    output = refused(folder, "rename the folder")
    assert "notebook" not in output
    assert not (folder / "book" / "executed").exists()


@pytest.mark.parametrize(
    "name", [pytest.param('ü 数字 🙂 it\'s "quoted" a#b&c;d', marks=CORE, id="odd"), "-n"]
)
def test_odd_paths_work(tmp_path, name):
    folder = kills.small_book(tmp_path / name)
    done = kills.build(folder)
    output, _ = done.communicate(timeout=100)
    assert done.returncode == 0, output


def test_pages_are_built_below_any_name_that_is_not_refused(smoke_site, tmp_path):  # noqa: F811
    """All punctuation, what cannot be seen, and letters beyond ASCII."""
    name = "".join(c for c in string.punctuation if c not in f"{NOT_IN_A_PATH}/")
    name += "\t\n\x01\x7f ü数🙂 "
    folder = shutil.copytree(smoke_site.root, tmp_path / name, symlinks=True)
    shutil.rmtree(folder / "book" / "_build")
    code, output = build(folder)
    assert code == 0, output
    assert pages(folder).keys() == pages(smoke_site.root).keys()


def test_a_path_that_is_no_utf8_is_refused_at_once(copy, tmp_path):
    """And one that the locale hides from Python."""
    folder = copy.rename(tmp_path / os.fsdecode(b"b\xff"))
    output = refused(folder, "cannot be read as utf-8: rename the folder")
    assert "notebook" not in output
    folder = folder.rename(tmp_path / "ü")
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    refused(folder, "cannot be read as ascii: rename the folder, or set PYTHONUTF8=1", **plain)


# What a machine can be like.


def pages_again(folder, **more):
    """Build all pages anew from the runs that are there; check that they are what they were."""
    before = pages(folder)
    shutil.rmtree(folder / "book" / "_build")
    code, output = build(folder, **more)
    assert code == 0, output
    assert pages(folder) == before


def test_a_locale_without_utf8_changes_no_page(copy):
    pages_again(copy, LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")


def test_what_a_home_says_to_docutils_and_to_the_terminal_changes_no_page(copy, tmp_path):
    (tmp_path / ".docutils").write_text(
        "[general]\nlanguage_code: de\nfile_insertion_enabled: no\n"
    )
    pages_again(copy, HOME=str(tmp_path), TERM="", COLUMNS="1", FORCE_COLOR="1")


def test_a_checkout_that_is_reached_through_a_link(copy, tmp_path):
    (tmp_path / "link").symlink_to(copy)
    pages_again(tmp_path / "link")


def test_under_a_strict_mask_all_works(copy):
    shutil.rmtree(copy / "book" / "executed" / "model")
    pages_again(copy, before=["bash", "-c", 'umask 077; exec "$@"', "masked"])


UNSHARE = ["unshare", "--mount", "bash", "-c"]
MAY_MOUNT = subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not MAY_MOUNT, reason="nothing may be mounted here")
def test_with_little_shared_memory_all_works(copy):
    shutil.rmtree(copy / "book" / "executed" / "bce")
    little = 'mount -t tmpfs -o size=256k tmpfs /dev/shm; exec "$@"'
    code, output = build(copy, before=[*UNSHARE, little, "little"])
    assert code == 0, output
    assert "notebook bce: done" in output


@pytest.mark.parametrize("limit", ["ulimit -n 256", "taskset -p -c 0 $$ > /dev/null"])
def test_few_files_and_one_core_are_enough(copy, limit):
    shutil.rmtree(copy / "book" / "executed" / "bce")
    code, output = build(copy, before=["bash", "-c", f'{limit}; exec "$@"', "limited"])
    assert code == 0, output


def test_a_page_with_an_older_date_is_read_again(copy):
    """A copy may keep dates, and the clock of a file system may run behind."""
    page = copy / "book" / "references.md"
    for word in ("first", "second"):
        page.write_text(page.read_text() + f"\nHere is the {word} word.\n")
        os.utime(page, (1e9, 1e9))
        code, output = build(copy)
        assert code == 0, output
        assert f"Here is the {word} word." in pages(copy)["references.html"]
    os.utime(page, (4e9, 4e9))  # and one from the future
    assert build(copy)[0] == 0


@pytest.mark.parametrize("last", ["search.html", "_modules/index.html"])
def test_what_a_killed_build_wrote_last_is_written_by_the_next(copy, last):
    site = copy / "book" / "_build" / "html"
    shown = site / "_modules" / "vaelib" / "vae" / "model.html"
    shown.write_text("half a page")
    (site / last).unlink()
    code, output = build(copy)
    assert code == 0, output
    assert (site / last).exists()
    assert "class" in shown.read_text("utf-8")


# What is ended from outside.


def started(folder, until, mark="1", before=()):
    """Start a build, and wait until it has printed what a pattern says."""
    process = subprocess.Popen(
        [*before, *BUILD],
        cwd=folder,
        env=SMOKE | {kills.MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heed,
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if re.search(until, line):
            return process
    raise AssertionError("".join(said))


HOLD = """
import time
from pathlib import Path
print("holding")
while not Path("../go on").exists():
    time.sleep(0.1)
"""


def hold(folder):
    """Add a notebook that waits, so that a build is at this point as long as a test needs it."""
    kills.template(folder / "book" / "notebooks" / "hold.ipynb", 'output_folder = "."', HOLD)
    with open(folder / "book" / "notebooks.yml", "a") as entries:
        entries.write("\nhold: {template: hold, title: It waits}\n")
    return folder / "book" / "executed" / "go on"


STAGES = {
    "a notebook begins": "notebook bce: ",
    "a notebook has trained": "bce: epoch",
    "a notebook is done": "notebook model: done",
    "chapters": "notebooks: ",
    "pages are read": "chapters: ",
    "a library is imported": "reading sources.*api",
    "pages are written": "writing output.*%",
}


ENDINGS = [
    ("a notebook begins", signal.SIGTERM),
    pytest.param("a notebook has trained", signal.SIGKILL, marks=CORE),
    ("a notebook is done", signal.SIGHUP),
    ("chapters", signal.SIGKILL),
    ("pages are read", signal.SIGINT),
    ("a library is imported", signal.SIGINT),
    ("a library is imported", signal.SIGTERM),
    pytest.param("pages are written", signal.SIGTERM, marks=CORE),
    ("pages are written", signal.SIGKILL),
]


@pytest.mark.parametrize(("stage", "number"), ENDINGS)
def test_a_build_that_was_ended_is_followed_by_one_that_works(copy, smoke_site, stage, number):  # noqa: F811
    if "notebook" in stage:
        for name in ("bce", "model"):
            shutil.rmtree(copy / "book" / "executed" / name)
    else:
        shutil.rmtree(copy / "book" / "_build")
    process = started(copy, STAGES[stage], mark := f"{stage} {number}")
    seconds = random.Random(mark).random()
    print(f"after {seconds} s")  # shown where it fails
    time.sleep(seconds)
    ended = threading.Thread(target=process.communicate)  # reads on: who fills a pipe stops
    os.kill(process.pid, number)
    ended.start()
    kills.require_whole(copy / "book")
    code, output = build(copy)
    assert code == 0, output
    ended.join(timeout=30)
    if stage in ("a library is imported", "pages are written"):
        assert process.returncode == -number  # at once
    else:
        assert process.returncode
    assert not kills.left_over(mark)
    assert not list((copy / "book").glob("*/.partial-*"))
    assert not list((copy / "book").glob("*/.unfinished-*"))
    reference, made = pages(smoke_site.root), pages(copy)
    assert made.keys() == reference.keys()
    for name, text in made.items():
        assert text.endswith("</html>\n") or text.rstrip().endswith(
            reference[name].rstrip()[-7:]
        ), name


def test_a_process_that_was_ended_is_named(copy):
    go_on = hold(copy)
    process = started(copy, "hold: holding")
    kernels = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "vaelib.build.kernel" in child.cmdline()
    ]
    for kernel in kernels:
        kernel.kill()
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "Traceback" not in output
    assert output.rstrip().splitlines()[-1].startswith("the book was not built: notebook hold: its")
    go_on.touch()
    assert build(copy)[0] == 0


def test_a_closed_terminal_with_nohup_ends_nothing(copy):
    go_on = hold(copy)
    process = started(copy, "hold: holding", before=["nohup"])
    process.send_signal(signal.SIGHUP)
    go_on.touch()
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output


@CORE
def test_the_second_of_two_builds_waits_and_says_so(copy):
    go_on = hold(copy)
    first = started(copy, "hold: holding")
    second = started(copy, "waiting for another build, which works in")
    go_on.touch()
    for process in (first, second):
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 0, output
    assert "notebook hold" not in output  # the first has made it


KILLED = """
import os, signal
from vaelib import cli
from vaelib.training import checkpoint

def save(*words, save=checkpoint.save, **named):
    save(*words, **named)
    os.kill(os.getpid(), signal.SIGKILL)

checkpoint.save = save
cli.main()
"""


def test_a_run_by_hand_goes_on_where_it_was_killed(tmp_path):
    def train(program, output):
        command = [*program, "train", "--recipe", "smoke", "--device", "cpu", "--output", output]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)

    assert train([PROGRAMS / "vaelib"], "elsewhere/whole").returncode == 0
    assert train([sys.executable, "-c", KILLED], "run").returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".checkpoint-*.pt"))) == 1
    assert not (tmp_path / "run" / "SHA256SUMS").exists()
    again = train([PROGRAMS / "vaelib"], "run")
    assert again.returncode == 0
    assert "training goes on after epoch 1, from its checkpoint" in again.stdout + again.stderr
    for name in ("weights.safetensors", "losses.json", "history.csv", "trace.csv"):
        other = tmp_path / "elsewhere" / "whole" / name
        assert (tmp_path / "run" / name).read_bytes() == other.read_bytes(), name
    assert not list(tmp_path.glob(".checkpoint-*"))


def test_random_kills():
    number = 6
    found = kills.main(number, seed=0, make_book=kills.small_book)
    assert found.total() == number


# Two clean builds are equal, but for what holds times.

IN_RUNS = {"outcome.json", "times.json", "page.json", "SHA256SUMS"}
PAGES = {"intro.html", "all-runs.html", "experiments/trainings.html"}


def sums(folder):
    return {
        str(path.relative_to(folder)): files.sha256(path)
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0][0] != "."
    }


def differing(first, second):
    return {name for name in first | second if first.get(name) != second.get(name)}


def test_two_clean_builds_leave_the_same_files(copy, smoke_site):  # noqa: F811
    shutil.rmtree(copy / "book" / "executed")
    shutil.rmtree(copy / "book" / "_build")
    code, output = build(copy)
    assert code == 0, output
    runs = differing(sums(smoke_site.book / "executed"), sums(copy / "book" / "executed"))
    assert {Path(name).name for name in runs} <= IN_RUNS, runs
    html = Path("book", "_build", "html")
    site = differing(sums(smoke_site.root / html), sums(copy / html))
    timed = {name for name in site if Path(name).name in {"outcome.json", "searchindex.js"}}
    assert site - timed <= PAGES, site
    for name in site - timed:
        shown = [(root / html / name).read_text() for root in (smoke_site.root, copy)]
        without_numbers = {re.sub(r"\d+", "", text) for text in shown}
        assert len(without_numbers) == 1, name


@CORE
def test_the_same_runs_give_the_same_site(copy, smoke_site):  # noqa: F811
    shutil.rmtree(copy / "book" / "_build")
    code, output = build(copy)
    assert code == 0, output
    html = Path("book", "_build", "html")
    assert differing(sums(smoke_site.root / html), sums(copy / html)) == set()


@pytest.mark.skipif(not shutil.which("xelatex"), reason="TeX is not installed")
def test_the_same_runs_give_the_same_pdf(copy, smoke_site, tmp_path):  # noqa: F811
    printed = []
    for root in (copy, shutil.copytree(smoke_site.root, tmp_path / "another copy", symlinks=True)):
        command = ["make", "--file", ROOT / "Makefile", "--assume-old=install"]
        done = subprocess.run(
            [*command, f"BIN={shlex.quote(str(PROGRAMS))}", "pdf"],
            cwd=root,
            env=SMOKE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        printed.append((root / "book" / "_build" / "latex" / "report.pdf").read_bytes())
    assert printed[0] == printed[1]


def test_all_may_read_what_was_made(smoke_site):  # noqa: F811
    for path in smoke_site.book.rglob("*"):
        if not path.is_symlink() and ".settings" not in path.parts:
            assert path.stat().st_mode & stat.S_IROTH, path


def test_no_page_names_a_folder_of_this_machine(smoke_site):  # noqa: F811
    own = [str(smoke_site.root), str(ROOT), str(Path.home()), str(PROGRAMS)]
    for path in (smoke_site.book / "_build" / "html").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for place in own:
                if len(place) > 5:
                    assert place.encode() not in content, (path, place)


def test_json_of_runs_has_no_number_that_json_does_not_know(smoke_site):  # noqa: F811
    for path in (smoke_site.book / "executed").rglob("*.json"):
        files.read_json(path)
