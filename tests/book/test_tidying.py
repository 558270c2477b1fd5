"""What no page asks for is removed from the site, and nothing else."""

from types import SimpleNamespace

from vaelib.book.site import tidying


def test_files_of_the_theme_and_of_earlier_builds_are_removed(tmp_path):
    kept = ["_static/book.css", "_images/curves.svg", "_downloads/ab/weights.safetensors"]
    fonts = "_static/vendor/fontawesome/6/webfonts/solid"
    kept.append(f"{fonts}.woff2")
    gone = ["_static/styles/book.css.map", "_static/locales/de/words.json", f"{fonts}.ttf"]
    gone += ["_static/vendor/fontawesome/6/js/all.js", "_static/vendor/fontawesome/6/js/all.js.map"]
    gone += ["_images/earlier.svg", "_downloads/cd/weights.safetensors"]
    kept += ["index.html", "404.html", "genindex.html", "search.html", "theory/elbo.html"]
    kept += ["_static/part.html", "_modules/index.html", "_modules/vaelib/vae/model.html"]
    gone += ["earlier.html", "theory/earlier.html", "_modules/earlier.html", "_modules/math.html"]
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    env = SimpleNamespace(
        found_docs={"theory/elbo"},
        images={"executed/bce/curves.*": ({"intro"}, "curves.svg")},
        _viewcode_modules={"vaelib.vae.model": ("source", {}, {}, "api/vae"), "math": False},
        dlfiles={"executed/bce/weights": ({"all-runs"}, "ab/weights.safetensors")},
    )
    tidying.remove_unasked(SimpleNamespace(outdir=tmp_path, env=env))
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(kept)
