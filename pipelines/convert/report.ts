/**
 * What a conversion tells its user.
 *
 * @module
 */
import type { ForeignNetwork } from "./entries.ts";
import type { WeightTable } from "./weight_table.ts";

/** Counts what no network took, nor `also` names, by the part of the file that it is in. */
export function leftOut(
  { tensors }: WeightTable,
  taken: readonly ForeignNetwork[],
  also: readonly (string | null)[] = [],
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of tensors.keys()) {
    const known = taken.some(({ prefix, entries, ignored }) =>
      name.startsWith(prefix) &&
      (ignored?.test(name.slice(prefix.length)) ||
        entries.some(({ from }) => prefix + from === name))
    );
    if (known || also.includes(name)) continue;
    const [first = "", second = ""] = name.split(".");
    const part = first === "state_dict" && second ? `${first}.${second}` : first;
    counts[part] = (counts[part] ?? 0) + 1;
  }
  return counts;
}

/** A network and where it was found: `generator of NVlabs' StyleGAN2 below "G_ema"`. */
export function placeOf({ what, prefix }: ForeignNetwork): string {
  return `${what} ${prefix ? `below "${prefix.slice(0, -1)}"` : "at the top"}`;
}
