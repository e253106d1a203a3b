/**
 * Whether a run may go on with a config.
 *
 * @module
 */
import { describe, quote } from "./describe.ts";
import { readConfig } from "./run_files.ts";

interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The first field in which two JSON values differ. */
function firstDifference(before: unknown, after: unknown, path = ""): Difference | undefined {
  const nested = [before, after].every((value) => typeof value === "object" && value !== null);
  if (!nested || Array.isArray(before) !== Array.isArray(after)) {
    return Object.is(before, after) ? undefined : { path, before, after };
  }
  const [a, b] = [before, after] as [Record<string, unknown>, Record<string, unknown>];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const place = Array.isArray(before) ? `${path}[${key}]` : path ? `${path}.${key}` : key;
    const difference = firstDifference(a[key], b[key], place);
    if (difference) return difference;
  }
}

/**
 * Why a run does not go on with a config: what `comparable` takes of it differs from the run's.
 *
 * @returns an error that names the first field that differs, with both values; `undefined` if none does
 */
export async function otherConfig<Config>(
  dir: string,
  config: Config,
  comparable: (config: Config) => unknown,
): Promise<RangeError | undefined> {
  const asJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
  const before = asJson(comparable(await readConfig(dir) as Config));
  const difference = firstDifference(before, asJson(comparable(asJson(config) as Config)));
  return difference && new RangeError(
    `Cannot resume ${quote(dir)}: expected ${quote(difference.path)} ${
      describe(difference.before)
    } as before but received ${describe(difference.after)}; use --restart or another --out`,
  );
}
