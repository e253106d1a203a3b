/**
 * The most memory that the process has held.
 *
 * @module
 */

/**
 * Starts to measure, and gives a function that says how many bytes more the process held at most
 * since then than at the start.
 *
 * On Linux the system's own mark is used, so that nothing is missed between two looks; elsewhere
 * the larger of what `look` saw.
 */
export function watchMemory(): { look(): void; growthBytes(): number } {
  const resident = () => Deno.memoryUsage().rss;
  const before = resident();
  let most = before;
  const marked = resetMark();
  const look = () => most = Math.max(most, resident());
  return {
    look,
    growthBytes() {
      look();
      return Math.max(most, marked ? readMark() : 0) - before;
    },
  };
}

/** Lowers the mark to the present; false where there is none. */
function resetMark(): boolean {
  try {
    Deno.writeTextFileSync("/proc/self/clear_refs", "5");
    return true;
  } catch {
    return false;
  }
}

/** The mark in bytes. */
function readMark(): number {
  try {
    const [, kilobytes] = /VmHWM:\s*(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status")) ??
      [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
