"""The explorer: its modules against PyTorch and the library, and its place in the site."""

import base64
import json
import math
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
from vaelib.evidence.odds import ProportionalOdds
from vaelib.evidence.quadrature import integrate
from vaelib.evidence.sampling import log_joint
from vaelib.figures.evidence import mass_levels
from vaelib.measure.explored import CODES, explored, integers, matrix, thresholds
from vaelib.training import folder
from vaelib.training.run import model_of
from vaelib.vae.latent import encode
from vaelib.vae.model import VAE
from vaelib.vae.objective import kl_per_dimension
from vaelib.vae.thresholds import Thresholds, mean_level

from .conftest import ROOT

SCRIPT = HERE / "script"
RUNS = ["bce-elbo", "mse-elbo", "odds"]
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
    for weight in model.parameters():
        step = weight.detach().double().abs().max() / (2**15 - 1) or 1
        weight.data = ((weight.detach().double() / step).round() * step).float()
    return model


LIKELIHOODS = {"bernoulli": Bernoulli(), "gaussian": Gaussian(0.5), "odds": None}


@pytest.fixture(scope="module", params=LIKELIHOODS)
def both(request, smoke_run, digits):
    """What the modules and the library find of the same images, with the same weights."""
    likelihood = LIKELIHOODS[request.param]
    if not likelihood:
        learnt = Thresholds.of(digits.training_images, 254)
        likelihood = ProportionalOdds(learnt.edges().detach())
    result, _ = smoke_run
    weights = {name: weight.numpy() for name, weight in result.weights.items()}
    chosen = {"variance": getattr(likelihood, "variance", None), "thresholds": None}
    if request.param == "odds":
        chosen["thresholds"] = thresholds(likelihood)
    chosen |= {"codes": [[0.5, -1]], "labels": "7", "places": {}, "images": [], "others": []}
    model, images = rounded(model_of(result)), digits.test_images[:2]
    q = encode(model, images)
    pixels = images.flatten(1).float() / 255
    evidence = integrate(model.decoder, likelihood, pixels, q)
    z = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    deviation = evidence.covariance.diagonal(dim1=1, dim2=2).sqrt()
    near = (evidence.mean[:, None] + deviation[:, None] * z).float()
    given = {
        "script": export.script("bce", explored(weights, chosen)),
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
        seen = density > 0.01
        assert seen.sum() > 10
        off = torch.log(density[seen]) - expected[seen]
        assert float((off - off.mean()).abs().max()) < 0.1


@pytest.mark.parametrize("both", ["bernoulli"], indirect=True)
def test_the_lines_hold_half_and_nearly_all_of_the_mass(both):
    """Within a pixel of those of the library's figures, on a phone, with 300 pixels."""
    found, model, likelihood, pixels, _, _, _, _ = both
    for image, lines in zip(pixels, (one["lines"] for one in found["found"]), strict=True):
        lines = [torch.tensor(points) for points in lines]
        low, high = (getattr(torch.cat(lines), name)(0).values for name in ("min", "max"))
        window = (high - low).max()
        axes = [
            torch.linspace(float(a - window / 2), float(b + window / 2), 100)
            for a, b in zip(low, high, strict=True)
        ]
        with torch.no_grad():
            height = log_joint(model.decoder, likelihood, image, torch.cartesian_prod(*axes))
        top = height.max()
        levels = mass_levels(torch.exp(height - top).numpy(), (0.5, 0.95))
        for points, level in zip(lines, levels, strict=True):
            points = points[:: max(1, len(points) // 200)].clone().requires_grad_()
            outputs = model.decoder(points).flatten(1)
            there = likelihood.log_density(image[None], outputs)[0] - points.square().sum(1) / 2
            (slope,) = torch.autograd.grad(there.sum(), points)
            off = there.detach() - math.log(2 * math.pi) - top - math.log(level)
            pixel = 1.15 * float(window) / 300
            apart = off.abs() / slope.norm(dim=1)
            print(float(apart.max() / pixel), "pixels at most")
            assert float(apart.max()) <= pixel


@pytest.mark.parametrize("both", ["bernoulli"], indirect=True)
def test_no_optimiser_improves_an_improved_q(both):
    found, model, likelihood, pixels, _, evidence, _, _ = both
    nodes, weights = np.polynomial.hermite_e.hermegauss(10)
    e = torch.cartesian_prod(*2 * [torch.tensor(nodes, dtype=torch.float32)])
    weight = torch.tensor(np.outer(weights, weights).ravel() / (2 * math.pi))
    for n, (image, one) in enumerate(zip(pixels, found["found"], strict=True)):
        mean = torch.tensor(one["better"]["mean"], requires_grad=True)
        log_deviation = torch.tensor(one["better"]["deviation"]).log().requires_grad_()
        optimiser = torch.optim.Adam([mean, log_deviation], 0.02)
        bounds = []
        for _ in range(25):
            outputs = model.decoder(mean + log_deviation.exp() * e).flatten(1)
            expected = (weight * likelihood.log_density(image[None], outputs)[0]).sum()
            bound = expected - kl_per_dimension(mean[None], 2 * log_deviation[None]).sum()
            optimiser.zero_grad()
            (-bound).backward()
            optimiser.step()
            bounds.append(float(bound.detach()))
        assert one["bounds"] == sorted(one["bounds"])
        assert one["bounds"][-1] == pytest.approx(bounds[0], abs=0.05)
        assert max(bounds) < bounds[0] + 0.05
        assert one["bounds"][-1] <= float(evidence.log_evidence[n]) + 0.01


def test_the_mean_level_is_pytorchs():
    counts = torch.randint(1, 1000, (256,), generator=torch.Generator().manual_seed(0))
    learnt = Thresholds.at(counts, 254)
    outputs = torch.linspace(-40, 40, 500)
    found = run_module(
        'import { Odds } from "odds";\n'
        "const odds = new Odds(given.thresholds);\n"
        "console.log(JSON.stringify(given.outputs.map((a) => odds.mean(a))));",
        thresholds=thresholds(ProportionalOdds(learnt.edges())),
        outputs=outputs.tolist(),
    )
    with torch.no_grad():
        expected = mean_level(outputs, learnt())
    assert float((torch.tensor(found) - expected).abs().max()) < 1e-4


def run_module(code, **given):
    """Run JavaScript that imports the explorer's modules by name; return what it prints."""
    code = re.sub(
        r'from "(\w+)"', lambda m: f"from {json.dumps((SCRIPT / m[1]).as_uri() + '.js')}", code
    )
    code = f"const given = {json.dumps(given)};\n{code}"
    return json.loads(deno("run", "--no-config", "--allow-read", "-", given=code))


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 8), (3, 7, 8), (9, 64, 40)])
def test_products_leave_out_what_is_zero_and_nothing_else(m, k, n):
    """Columns that are zero in all rows, in some, and rows of zeros."""
    random = np.random.default_rng(0)
    left = random.normal(size=(m, k)) * (random.random((m, k)) < 0.5) * (random.random(k) < 0.6)
    left[m // 2] = 0
    right = random.normal(size=(k, n - 3))
    code = """
        import { Matrices, padded } from "matrices";
        const { left, right, m, k, n } = given;
        const matrices = new Matrices(4 * (m + 4) * (k + n) + k * n, k);
        const [a, c] = [k, n].map((width) => matrices.allocate(padded(m, 4) * width));
        a.set(left.flat());
        const b = matrices.panels({
          shape: [k, n - 3], values: Float32Array.from(right.flat())});
        matrices.product(a, b, c, m, k, n);
        console.log(JSON.stringify(Array.from(c.subarray(0, m * n))));
    """
    found = run_module(code, left=left.tolist(), right=right.tolist(), m=m, k=k, n=n)
    expected = np.pad(left @ right, [(0, 0), (0, 3)])
    np.testing.assert_allclose(np.reshape(found, (m, n)), expected, rtol=1e-5, atol=1e-5)


def test_an_encoder_of_any_width_encodes_as_pytorch_does(generator, digits):
    model = rounded(VAE(2, 3500, generator))
    weights = {name: weight.numpy() for name, weight in model.state_dict().items()}
    arrays = {name: matrix(name, weight) for name, weight in weights.items()}
    code = """
        import { Network } from "network";
        import { arrays } from "weights";
        const network = new Network(arrays(given.weights));
        const found = given.images.map((image) => network.encode(image));
        console.log(JSON.stringify(found));
    """
    images = digits.test_images[:2].flatten(1).float() / 255
    found = run_module(
        code,
        weights={name: {"shape": w.shape} | integers(w) for name, w in arrays.items()},
        images=images.tolist(),
    )
    with torch.no_grad():
        mean, log_variance = model.encoder(images.view(-1, 1, 28, 28))
    np.testing.assert_allclose([one["mean"] for one in found], mean, atol=1e-5)
    np.testing.assert_allclose([one["deviation"] for one in found], (log_variance / 2).exp(), 1e-5)


def test_a_dense_way_goes_round_a_valley():
    """On a ring of density, from one side to the other; the straight line falls into the middle."""
    code = """
        import { Surface } from "surface";
        import { along, densest } from "walk";
        const height = (x, y) => -20 * (Math.hypot(x, y) - 1) ** 2;
        const squares = [];
        for (let i = -8; i < 8; i++) for (let j = -8; j < 8; j++) {
          const values = [0, 1, 2, 3].map((n) =>
            height((2 * i + (n >> 1) + 0.5) / 8, (2 * j + (n & 1) + 0.5) / 8));
          squares.push({ i, j, values });
        }
        const way = densest(new Surface(1 / 8, squares), [-1, 0], [1, 0.05]);
        console.log(JSON.stringify([way, along(way, 9), along([[0, 0], [0, 0]], 3)]));
    """
    way, points, still = run_module(code)
    radius = np.hypot(*np.transpose(points))
    assert (way[0], way[-1]) == ([-1, 0], [1, 0.05])
    assert radius.min() > 0.9
    assert radius.max() < 1.1
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps.max() < 1.2 * steps.min()
    assert still == [[0, 0]] * 3


def test_a_link_carries_a_view_and_a_wrong_one_is_refused():
    code = """
        import { read, write } from "address";
        const back = given.views.map((view) => read(write(view)));
        const said = (text) => {
          try { return read(text); } catch (error) { return error.message; }
        };
        console.log(JSON.stringify([back, given.wrong.map(said)]));
    """
    views = [
        {"run": "bce-elbo", "image": 12, "strokes": [], "z": [0.5, -1.25]},
        {"run": "a b;=", "image": None, "strokes": [[[1, 2], [30, 40]], [[5, 6]]], "z": None},
    ]
    views = [view | {"frame": n == 1} for n, view in enumerate(views)]
    back, refused = run_module(
        code, views=views, wrong=["#x", "#explorer;run=a;z=1,b", "#explorer;draw=1.2-3"]
    )
    assert back == [views[0] | {"image": "12", "strokes": None}, views[1]]
    assert refused[0] is None
    assert all("where two numbers were expected" in message for message in refused[1:])


def test_the_assembled_program_is_that_of_its_text():
    text = (SCRIPT / "program.wat").read_text()
    (held,) = re.findall(r'"([\w+/=]+)"', (SCRIPT / "program.js").read_text())
    assert base64.b64decode(held) == bytes(wasmtime.wat2wasm(text))


@pytest.mark.parametrize("greatest", [0.0, 1e-3, 7.0])
def test_rounded_numbers_are_read_to_half_a_step(greatest):
    values = np.linspace(-greatest, greatest, 10_001)
    code = (
        f"import {{ numbers }} from {json.dumps((SCRIPT / 'weights.js').as_uri())};"
        f"console.log(JSON.stringify(Array.from(numbers({json.dumps(integers(values))}))));"
    )
    found = json.loads(deno("run", "--no-config", "--allow-read", "-", given=code))
    np.testing.assert_allclose(found, values, rtol=1e-7, atol=greatest / (2**15 - 1) / 2)


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
    chapter = " ".join((ROOT / "book/beyond/explorer.md").read_text().split())

    def constant(module, name):
        text = (SCRIPT / f"{module}.js").read_text()
        (value,) = re.findall(rf"^(?:export )?const {name} = ([\d ./]+);", text, re.MULTILINE)
        return eval(value)

    points = (2 * constant("plane", "EDGE") / constant("plane", "COARSEST")) ** 2
    assert f"{points:.0f} points of the plane" in chapter
    assert f"{constant('bound', 'POINTS') ** 2} points around the encoder's mean" in chapter
    tolerance = constant("quadrature", "TOLERANCE")
    assert f"the error is below {tolerance}" in chapter
    assert f"codes of {CODES} test images" in chapter


@pytest.mark.xdist_group("book")
def test_only_its_own_page_loads_the_explorer(site, pages):
    for name, page in pages.items():
        scripts = [tag["src"] for tag in page.select("script[src]") if "explorer" in tag["src"]]
        styles = page.select("link[href*='explorer.css']")
        assert len(scripts) == len(styles) == (name == "beyond/explorer")
    part = pages["beyond/explorer"].select_one("section.explorer")
    assert not part.has_attr("hidden")  # it stands in its place before the script comes
    assert [box["value"] for box in part.select("input[type=radio]")] == RUNS
    missing = pages["beyond/explorer"].select_one(".explorer-missing")
    assert missing.has_attr("hidden")
    assert "needs JavaScript" in missing.text
    made = {path.name for path in (site.html / "_static/explorer").iterdir()}
    assert made == {"explorer.js", "explorer.css", *(f"{name}.js" for name in RUNS)}


@pytest.mark.xdist_group("book")
def test_the_script_of_a_run_has_its_weights(site):
    text = (site.html / "_static/explorer/mse-elbo.js").read_text()
    data = json.loads(text[text.index("] = {") + 4 : -2])
    weights = folder.load_run(site.book / "executed/mse-elbo").weights
    assert {key: math.prod(weight["shape"]) for key, weight in data["weights"].items()} == {
        key: weight.numel() for key, weight in weights.items()
    }
    assert data["variance"] == 0.5
    codes = base64.b64decode(data["codes"]["means"]["integers"])
    assert len(codes) == 4 * len(data["codes"]["labels"]) > 400
    kinds = {image["why"] for image in data["images"]}
    assert {"ordinary gap", "greatest gap"} <= kinds
