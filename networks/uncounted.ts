import type { NetworkCost } from "./cost.ts";

/** The parts of a network that do not say how many multiply-adds they need, each once. */
export function uncountedParts({ layers }: NetworkCost): string[] {
  const names = layers.filter(({ uncounted }) => uncounted)
    .map(({ layer }) => layer.replace(/^synthesis\.\d+\.\w+\./, ""));
  return [...new Set(names)];
}

/** What a reader of multiply-adds must know of such parts; `undefined` if there are none. */
export function uncountedNote(parts: readonly string[]): string | undefined {
  if (parts.length === 0) return undefined;
  return `multiply-adds without those of ${
    parts.join(", ")
  }: a part counts as none if it has no multiplyAdds()`;
}
