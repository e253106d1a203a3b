/** How many threads compute, in an engine's description: `1 thread`, `2 threads`. */
export function threadWords(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
