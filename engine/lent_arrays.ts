/**
 * Arrays of the host that an engine writes results into again once their user has disposed them: two
 * states that take turns allocate nothing.
 *
 * @module
 */

const owners = new WeakMap<Float32Array, Float32Array[]>();

/** Hands an array out; when it is given back, it goes to `free`. */
export function lend(data: Float32Array, free: Float32Array[]): void {
  owners.set(data, free);
}

/** Gives an array back; one that was not lent, or is back already, is left alone. */
export function giveBack(data: Float32Array): void {
  const free = owners.get(data);
  owners.delete(data);
  free?.push(data);
}
