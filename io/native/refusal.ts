/** The error of a step of `buildNativeAddon`: what it expected, what it found, and the remedy. */
export function refusal(rule: string, cause?: unknown): Error {
  return new Error(`Cannot build the native TensorFlow addon: expected ${rule}`, { cause });
}
