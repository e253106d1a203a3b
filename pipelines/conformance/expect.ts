import type { HostArray } from "../../core/contracts.ts";

/** What a check found. Its message is the end of one: who was checked for what comes before it. */
export class Finding extends Error {
  override readonly name = "Finding";
}

/** Throws `expected ... but received ...`. */
export function fail(expected: string, received: string): never {
  throw new Finding(`expected ${expected} but received ${received}`);
}

/** The largest magnitude of an array. */
export function largestOf({ data }: HostArray): number {
  return data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

function expectNumbers(
  actual: HostArray,
  expected: HostArray,
  what: string,
  isGood: (actual: number, expected: number) => boolean,
): void {
  if (String(actual.shape) !== String(expected.shape)) {
    fail(`${what} to have shape [${expected.shape}]`, `[${actual.shape}]`);
  }
  const index = actual.data.findIndex((x, i) => !isGood(x, expected.data[i]!));
  if (index >= 0) {
    fail(`${what} to be ${expected.data[index]} at ${index}`, `${actual.data[index]}`);
  }
}

/** Fails unless both arrays have the same shape and numbers. */
export function expectEqual(actual: HostArray, expected: HostArray, what: string): void {
  expectNumbers(actual, expected, what, Object.is);
}

/** Fails unless both arrays agree within `tolerance` times the largest number that is expected. */
export function expectNear(
  actual: HostArray,
  expected: HostArray,
  what: string,
  tolerance = 1e-4,
): void {
  const limit = tolerance * largestOf(expected);
  expectNumbers(actual, expected, what, (x, y) => Math.abs(x - y) <= limit);
}
