/** Numbers out of the text in which a run's script holds them. */

/** Decode base64 to bytes. */
export function bytes(text) {
  const characters = atob(text);
  const found = new Uint8Array(characters.length);
  for (let i = 0; i < found.length; i++) found[i] = characters.charCodeAt(i);
  return found;
}

/** Decode base64 of little-endian 16-bit integers, in units of `scale`. */
export function numbers({ scale, integers }) {
  const values = new Float32Array(new Int16Array(bytes(integers).buffer));
  return values.map((integer) => scale * integer);
}

/**
 * Decode the arrays of a network.
 *
 * @param {Object<string, {shape: number[], scale: number, integers: string}>} weights by name
 */
export function arrays(weights) {
  return Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [
      name,
      { shape: weight.shape, values: numbers(weight) },
    ]),
  );
}
