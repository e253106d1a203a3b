/**
 * The conformance suite: what every part must do, built in or plugged. Authors write no case: each
 * kind makes the smallest valid use of its parts.
 *
 * @module
 */
import type { PartSource } from "../../core/contracts.ts";
import type { AnyPart } from "../../core/registry.ts";
import type { Engine } from "../../engine/mod.ts";
import { type Case, moved } from "./case.ts";
import { casesOf, checkInit } from "./cases.ts";
import { type CaseRun, criteria, type EngineRun } from "./criteria.ts";
import { evaluatorOf } from "./evaluation.ts";

/** One thing that a part must do. */
export interface Check {
  /** `conv "modulated" (fused) repeats exactly` */
  readonly name: string;
  /** @throws {Error} `Cannot see that <name>: expected ... but received ...` */
  run(): Promise<void>;
}

/** Engines to compare: the first is the reference, which gradients are checked on. */
export type Engines = readonly [Engine, ...Engine[]];

/**
 * Everything that some parts must do, with their default options, as checks that run one by one.
 *
 * @param source Where the parts are registered.
 */
export function conformanceOf(
  parts: readonly AnyPart[],
  source: PartSource,
  engines: Engines,
): Check[] {
  return parts.flatMap((part) => checksOf(part, source, engines));
}

function checksOf(part: AnyPart, source: PartSource, engines: Engines): Check[] {
  const what = `${part.kind} "${part.name}"`;
  const check = (name: string, run: () => Promise<void> | void): Check => ({
    name: `${what} ${name}`,
    async run() {
      try {
        await run();
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`Cannot see that ${what} ${name}: ${message}`, { cause });
      }
    },
  });
  const resolve = (options?: Readonly<Record<string, unknown>>) =>
    source.resolve(part.kind, options ? { name: part.name, options } : { name: part.name }).options;

  let options: unknown;
  try {
    options = resolve();
  } catch (error) {
    return [check("has defaults for all options", () => Promise.reject(error))];
  }
  const general = [
    check("has options that survive JSON", () => {
      resolve(JSON.parse(JSON.stringify(options)));
    }),
  ];
  if (part.kind === "metric") return general;
  if (part.kind !== "loss") {
    general.push(check("makes whole and repeatable weights", () => checkInit(part, options)));
  }
  let cases: readonly Case[];
  try {
    cases = casesOf(part, options);
  } catch (error) {
    return [check("makes weights for its smallest use", () => Promise.reject(error))];
  }
  return [
    ...general,
    ...cases.flatMap((one) => {
      const title = one.title ? `(${one.title}) ` : "";
      const run = caseRun(one, engines, `${what} ${title}`.trim());
      return criteria
        .filter(({ applies }) => applies?.(one) ?? true)
        .map((criterion) =>
          check(`${title}${criterion.name}`, async () => criterion.check(await run()))
        );
    }),
  ];
}

/** Prepares and compiles a case when it is first asked for. */
function caseRun(part: Case, engines: Engines, name: string): () => Promise<CaseRun> {
  return once(async (): Promise<CaseRun> => {
    const inputs = { ...part.inputs, ...await part.prepare?.() };
    const arrays = { weights: moved(part.weights, part.trained), inputs };
    const runOn = (engine: Engine): EngineRun => {
      const evaluator = evaluatorOf(part, engine, name);
      return { engine, evaluator, evaluation: once(() => evaluator.evaluate(arrays)) };
    };
    const [reference, ...others] = engines;
    return { part, arrays, runs: [runOn(reference), ...others.map(runOn)] };
  });
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
