/**
 * Times as people say them.
 *
 * @module
 */

/**
 * Says how long something takes, in its two largest units: `1 h 5 min`, `1 min 20 s`, `20 s`.
 *
 * @param seconds Any number, rounded to whole seconds; below 0, as an estimate may be, it is 0.
 *
 * @example
 * ```ts
 * import { durationText } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * assert.equal(durationText(3900), "1 h 5 min");
 * assert.equal(durationText(80), "1 min 20 s");
 * ```
 */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
