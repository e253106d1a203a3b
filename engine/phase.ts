/**
 * Runs a phase of what goes before a first run, and leaves its time as a measure of the platform
 * (User Timing): `haarlem:trace`, `haarlem:lower` or `haarlem:open`, with the function's name as
 * detail. `deno task bench --start` reads them.
 */
export function phase<T>(kind: "trace" | "lower" | "open", name: string, run: () => T): T {
  const start = performance.now();
  const end = () => {
    performance.measure(`haarlem:${kind}`, { start, end: performance.now(), detail: { name } });
  };
  const made = run();
  if (made instanceof Promise) return made.finally(end) as T;
  end();
  return made;
}
