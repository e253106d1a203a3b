import leven from "leven";

/** The known name that was probably meant: few letters differ, or one starts with the other. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const close = Math.max(2, Math.floor(name.length / 3));
  return known
    .map((candidate) => ({ candidate, distance: leven(name, candidate) }))
    .filter(({ candidate, distance }) =>
      distance <= close && distance < candidate.length ||
      name.length > 2 && (candidate.startsWith(name) || name.startsWith(candidate))
    )
    .sort((a, b) => a.distance - b.distance)[0]?.candidate;
}
