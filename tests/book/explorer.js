/**
 * Run the explorer's modules on what standard input has, and print what they find, as JSON.
 *
 * Input: a run's `script` as vaelib.book.explorer.export writes it; `z` (n, 2); `images` (m, 784); `near` (m, k, 2), points.
 */
import { Likelihood } from "../../src/vaelib/book/explorer/script/likelihood.js";
import { Network } from "../../src/vaelib/book/explorer/script/network.js";
import { Plane } from "../../src/vaelib/book/explorer/script/plane.js";
import { Surface } from "../../src/vaelib/book/explorer/script/surface.js";
import { arrays } from "../../src/vaelib/book/explorer/script/weights.js";
import { examine } from "../../src/vaelib/book/explorer/script/worker.js";

const { script, z, images, near } = JSON.parse(await new Response(Deno.stdin.readable).text());
(0, eval)(script);
const [data] = Object.values(globalThis.explorerRuns);
const network = new Network(arrays(data.weights, data.shapes));
const plane = new Plane(network, new Likelihood(data.variance));
const found = images.map((pixels, n) => {
  const image = Float32Array.from(pixels);
  const { logEvidence, error, bound, gap, mean, step, squares } = examine(plane, image);
  const surface = new Surface(step, squares, true);
  const density = near[n].map((point) => surface.at(...point));
  return { ...network.encode(image), logEvidence, error, bound, gap, posterior: mean, density };
});
const logits = z.map((point) => Array.from(network.decode(point)));
const together = Array.from(network.decode(z.slice(0, 4).flat()));
console.log(JSON.stringify({ found, logits, together }));
