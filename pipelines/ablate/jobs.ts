/**
 * The runs of an ablation: which there are, what each is, several at a time.
 *
 * @module
 */
import { type DistillConfig, parseConfig } from "../distill_config.ts";
import type { AblateConfig } from "../ablate_config.ts";
import { type ListedParts, type Variant, withField } from "./variants.ts";

/** One distillation of an ablation. */
export interface AblationJob {
  /** Variant and seed, as a name of files: `head-skip-seed-0`. */
  readonly id: string;
  /** Name of the variant. */
  readonly variant: string;
  /** Seed of the run. */
  readonly seed: number;
  /** Enough to repeat the run. */
  readonly config: DistillConfig;
  /** The file of that configuration. */
  readonly configPath: string;
  /** Folder of the run. */
  readonly out: string;
}

/** What an ablation has to know of a run's events; those of `distill` are such. */
export interface JobEvent {
  /** `start`, `step`, `end`, ... */
  readonly kind: string;
  /** Steps done. */
  readonly step?: number;
  /** Of `end`. */
  readonly finished?: boolean;
  /** Of `end`: the student's file. */
  readonly path?: string;
}

/** Runs a job, here or in another process. The last event is `end`. */
export type RunJob = (
  job: AblationJob,
  options: { readonly signal: AbortSignal | undefined; readonly restart: boolean },
) => AsyncIterable<JobEvent>;

/** A name as part of a file's name: plugins' parts have slashes. */
function fileName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, ".");
}

/** All runs: every variant with the first seed, then with the next, so that a part is a whole. */
export function jobsOf(config: AblateConfig, out: string, registry: ListedParts): AblationJob[] {
  const jobOf = ({ name, field, value }: Variant, seed: number): AblationJob => {
    const id = `${fileName(name)}-seed-${seed}`;
    const changed = withField({ ...config.base, seed }, field, value) as DistillConfig;
    return {
      id,
      variant: name,
      seed,
      config: parseConfig({ ...changed, name: `${config.name}-${id}` }, registry),
      configPath: `${out}/configs/${id}.json`,
      out: `${out}/runs/${id}`,
    };
  };
  return config.seeds.flatMap((seed) => config.variants.map((variant) => jobOf(variant, seed)));
}

/** What comes from one of several sources. */
export type FromSource<Key, Value> =
  & { readonly key: Key }
  & (
    | { readonly kind: "start" | "done" }
    | { readonly kind: "value"; readonly value: Value }
    | { readonly kind: "failed"; readonly error: unknown }
  );

/**
 * Reads several sources at once, at most `limit`, and yields what they give as it comes. One that
 * fails does not stop the others; `mayStart` is asked before each new one.
 */
export async function* mergeSources<Key, Value>(
  keys: readonly Key[],
  open: (key: Key) => AsyncIterable<Value>,
  { limit, mayStart }: { readonly limit: number; mayStart(): boolean },
): AsyncGenerator<FromSource<Key, Value>> {
  type Arrived = { key: Key; result?: IteratorResult<Value>; error?: unknown };
  const waiting = [...keys];
  const iterators = new Map<Key, AsyncIterator<Value>>();
  const arriving = new Map<Key, Promise<Arrived>>();
  const advance = (key: Key) =>
    arriving.set(
      key,
      iterators.get(key)!.next().then((result) => ({ key, result }), (error) => ({ key, error })),
    );
  try {
    for (;;) {
      while (arriving.size < limit && waiting.length > 0 && mayStart()) {
        const key = waiting.shift()!;
        iterators.set(key, open(key)[Symbol.asyncIterator]());
        advance(key);
        yield { kind: "start", key };
      }
      if (arriving.size === 0) return;
      const { key, result, error } = await Promise.race(arriving.values());
      arriving.delete(key);
      if (result && !result.done) {
        advance(key);
        yield { kind: "value", key, value: result.value };
        continue;
      }
      iterators.delete(key);
      yield result ? { kind: "done", key } : { kind: "failed", key, error };
    }
  } finally {
    // Also when the reader breaks out of the loop: every run writes its checkpoint.
    await Promise.allSettled(arriving.values());
    await Promise.allSettled([...iterators.values()].map((iterator) => iterator.return?.()));
  }
}
