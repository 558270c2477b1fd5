"""The explorer: its modules against PyTorch and the library, and its place in the site."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import wasmtime

from vaelib.book.explorer import export
from vaelib.book.explorer.directive import HERE
from vaelib.book.explorer.join import joined
from vaelib.evidence.likelihood import Bernoulli, Gaussian
from vaelib.evidence.quadrature import integrate
from vaelib.evidence.sampling import log_joint
from vaelib.measure.portraits import CODES
from vaelib.training import folder
from vaelib.training.run import model_of
from vaelib.vae.latent import encode
from vaelib.vae.objective import kl_per_dimension

from .conftest import ROOT

SCRIPT = HERE / "script"
DENO = Path(sys.executable).with_name("deno")


def deno(*words, given=None):
    environment = os.environ | {"DENO_NO_UPDATE_CHECK": "1"}
    done = subprocess.run(
        [DENO, *words], input=given, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rounded(model):
    """The model with its weights as the page has them."""
    model.load_state_dict({key: w.half().float() for key, w in model.state_dict().items()})
    return model


@pytest.fixture(scope="module", params=[None, 0.5])
def both(request, smoke_run, digits):
    """What the modules and the library find of the same images, with the same weights."""
    variance = request.param
    result, _ = smoke_run
    weights = {name: weight.numpy() for name, weight in result.weights.items()}
    chosen = {"variance": variance, "codes": [[0.5, -1]], "labels": "7", "images": []}
    model, images = rounded(model_of(result)), digits.test_images[:3]
    q = encode(model, images)
    pixels = images.flatten(1).float() / 255
    likelihood = Gaussian(variance) if variance else Bernoulli()
    evidence = integrate(model.decoder, likelihood, pixels, q)
    z = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    deviation = evidence.covariance.diagonal(dim1=1, dim2=2).sqrt()
    near = (evidence.mean[:, None] + deviation[:, None] * z).float()
    given = {
        "script": export.script("bce", weights, chosen),
        "z": z.tolist(),
        "images": pixels.tolist(),
        "near": near.tolist(),
    }
    text = deno("run", "--no-config", ROOT / "tests/book/explorer.js", given=json.dumps(given))
    return json.loads(text), model, likelihood, pixels, q, evidence, z, near


def of(found, name):
    return torch.tensor([one[name] for one in found["found"]], dtype=torch.float64)


def test_the_network_is_pytorchs(both):
    found, model, _, _, q, _, z, _ = both
    with torch.no_grad():
        logits = model.decoder(z).flatten(1)
    size = logits.abs().max()
    assert float((torch.tensor(found["logits"])[:, 0] - logits[:, 0]).abs().max() / size) < 1e-6
    for ours in (torch.tensor(found["logits"]), torch.tensor(found["together"]).view(4, -1)):
        assert float((ours - logits[: len(ours)]).abs().max() / size) < 1e-6
    assert float((of(found, "mean") - q.mean).abs().max()) < 1e-5
    deviation = torch.exp(q.log_variance / 2)
    assert float((of(found, "deviation") / deviation - 1).abs().max()) < 1e-5


def test_evidence_bound_and_posterior_are_the_librarys(both):
    found, _, _, _, q, evidence, _, _ = both
    error = of(found, "logEvidence") - evidence.log_evidence
    assert float(error.abs().max()) < 0.05
    assert float(error.abs().median()) < 0.01
    assert float(of(found, "error").max()) <= 0.05
    divergence = kl_per_dimension(q.mean.double(), q.log_variance.double()).sum(1)
    bound = evidence.expected - divergence
    assert float((of(found, "bound") - bound).abs().max()) < 0.05
    assert torch.equal(of(found, "gap"), of(found, "logEvidence") - of(found, "bound"))
    deviation = evidence.covariance.diagonal(dim1=1, dim2=2).sqrt()
    assert float(((of(found, "posterior") - evidence.mean) / deviation).abs().max()) < 0.05


def test_the_shade_is_the_density(both):
    """Between the nodes; relative to the greatest of them, so up to a factor for each image."""
    found, model, likelihood, pixels, _, _, _, near = both
    for image, density, points in zip(pixels, of(found, "density"), near, strict=True):
        with torch.no_grad():
            expected = log_joint(model.decoder, likelihood, image, points).double()
        seen = density > 0.1
        assert seen.sum() > 3
        off = torch.log(density[seen]) - expected[seen]
        assert float((off - off.mean()).abs().max()) < 0.1


def test_the_assembled_program_is_that_of_its_text():
    text = (SCRIPT / "program.wat").read_text()
    (held,) = re.findall(r'"([\w+/=]+)"', (SCRIPT / "program.js").read_text())
    assert base64.b64decode(held) == bytes(wasmtime.wat2wasm(text))


def test_half_precision_is_read_as_numpy_writes_it():
    values = np.arange(2**16, dtype=np.uint16).view(np.float16)
    values = values[np.isfinite(values)]
    code = (
        f"import {{ halves }} from {json.dumps((SCRIPT / 'weights.js').as_uri())};"
        f"console.log(JSON.stringify(Array.from(halves({json.dumps(export.halves(values))}))));"
    )
    np.testing.assert_array_equal(
        json.loads(deno("run", "--no-config", "--allow-read", "-", given=code)), values
    )


def test_modules_are_joined_in_the_order_of_their_imports(tmp_path):
    """Names may be used twice: each module keeps its own."""
    (tmp_path / "two.js").write_text(
        "const SIZE = 2;\nexport function size() {\n  return SIZE;\n}\n"
    )
    (tmp_path / "main.js").write_text(
        'import { size } from "./two.js";\nconst SIZE = 3;\n'
        "export function main(source) {\n"
        "  console.log(SIZE * size(), source.endsWith(')()'));\n}\n"
    )
    text = joined(tmp_path, "main")
    assert not re.search(r"^(import|export)", text, re.MULTILINE)
    assert deno("run", "--no-config", "-", given=text) == "6 true\n"


def test_every_module_is_part_of_the_script():
    text = joined(SCRIPT, "main")
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    for module in SCRIPT.glob("*.js"):
        assert f"const in_{module.stem} = " in text


def test_the_chapter_says_what_the_modules_do():
    chapter = (ROOT / "book/beyond/explorer.md").read_text()

    def constant(module, name):
        text = (SCRIPT / f"{module}.js").read_text()
        (value,) = re.findall(rf"^(?:export )?const {name} = ([\d ./]+);", text, re.MULTILINE)
        return eval(value)

    points = (2 * constant("plane", "EDGE") / constant("plane", "COARSEST")) ** 2
    assert f"{points:.0f} points of the plane" in chapter
    assert f"{constant('bound', 'POINTS') ** 2} points around the encoder's mean" in chapter
    tolerance = constant("quadrature", "TOLERANCE")
    assert f"the error is below {tolerance}" in " ".join(chapter.split())
    assert f"codes of {CODES} test images" in " ".join(chapter.split())


@pytest.mark.xdist_group("book")
def test_only_its_own_page_loads_the_explorer(site, pages):
    for name, page in pages.items():
        scripts = [tag["src"] for tag in page.select("script[src]") if "explorer" in tag["src"]]
        styles = page.select("link[href*='explorer.css']")
        assert len(scripts) == len(styles) == (name == "beyond/explorer")
    part = pages["beyond/explorer"].select_one("section.explorer")
    assert part.has_attr("hidden")  # until the script shows it
    assert [box["value"] for box in part.select("input[type=radio]")] == ["bce-elbo", "mse-elbo"]
    assert "needs JavaScript" in pages["beyond/explorer"].select_one(".explorer-missing").text
    made = {path.name for path in (site.html / "_static/explorer").iterdir()}
    assert made == {"explorer.js", "explorer.css", "bce-elbo.js", "mse-elbo.js"}


@pytest.mark.xdist_group("book")
def test_the_script_of_a_run_has_its_weights(site):
    text = (site.html / "_static/explorer/mse-elbo.js").read_text()
    data = json.loads(text[text.index("] = {") + 4 : -2])
    weights = folder.load_run(site.book / "executed/mse-elbo").weights
    values = np.frombuffer(base64.b64decode(data["weights"]), "<f2")
    assert len(values) == sum(weight.numel() for weight in weights.values())
    assert data["variance"] == 0.5
    codes = base64.b64decode(data["codes"]["means"])
    assert len(codes) == 4 * len(data["codes"]["labels"]) > 400
    kinds = {image["why"] for image in data["images"]}
    assert {"ordinary gap", "greatest gap"} <= kinds
