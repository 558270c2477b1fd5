/** Numbers out of the text in which a run's script holds them. */

/** Decode base64 to bytes. */
export function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Decode base64 of little-endian half-precision numbers. */
export function halves(text) {
  const view = new DataView(bytes(text).buffer);
  return Float32Array.from({ length: view.byteLength / 2 }, (_, i) => {
    const half = view.getUint16(2 * i, true);
    const exponent = (half >> 10) & 31;
    const fraction = (half & 1023) / 1024;
    const size = exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14;
    return half >> 15 ? -size : size;
  });
}

/**
 * Cut one row of numbers into the arrays of a network.
 *
 * @param {string} text base64 of all numbers, one array after the other
 * @param {Object<string, number[]>} shapes by name, in that order
 */
export function arrays(text, shapes) {
  const values = halves(text);
  let start = 0;
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const stop = start + shape.reduce((a, b) => a * b);
      const array = { shape, values: values.subarray(start, stop) };
      start = stop;
      return [name, array];
    }),
  );
}
