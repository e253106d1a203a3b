import leven from "leven";

/**
 * The known name that a misspelt one was most likely meant to be, if any comes near.
 *
 * The part after a slash counts as a name too: `charbonier` finds `acme/charbonnier`.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 3));
  const wanted = name.toLowerCase();
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const lower = candidate.toLowerCase();
    const forms = [lower, lower.slice(lower.lastIndexOf("/") + 1)];
    const distance = Math.min(...forms.map((form) => leven(wanted, form)));
    if (distance <= limit && distance < (best?.distance ?? Infinity)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

/** `; did you mean "x"?`, or nothing: the end of an error about an unknown name. */
export function didYouMean(name: string, known: readonly string[]): string {
  const found = nearest(name, known);
  return found === undefined ? "" : `; did you mean "${found}"?`;
}
