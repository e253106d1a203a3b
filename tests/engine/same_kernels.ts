/** Kernels with their derivatives on two engines. */
import assert from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import type { Engine } from "../../engine/mod.ts";
import { arraysFor, betweenConvolutions, derivativesOf } from "./cases/case.ts";
import { kernelCases } from "./cases/mod.ts";

/** What is compared. */
export interface CompareOptions {
  /** Whether infinities and NaN have to be the same too. Default: true. */
  readonly nonFinite?: boolean;
}

/** The comparison of one kernel. */
export interface KernelComparison {
  readonly kernel: string;
  /** Fails if a value or derivative differs by more than a tolerance of its scale. */
  compare(a: Engine, b: Engine, tolerance: number, options?: CompareOptions): Promise<void>;
}

/** Every kernel that has cases, but those that are named. */
export function compareKernels(missing: readonly (string | RegExp)[]): KernelComparison[] {
  const isMissing = (kernel: string) =>
    missing.some((one) => typeof one === "string" ? one === kernel : one.test(kernel));
  return Object.entries(kernelCases).filter(([kernel]) => !isMissing(kernel)).map(
    ([kernel, cases]) => ({
      kernel,
      async compare(a, b, tolerance, { nonFinite = true } = {}) {
        const all = cases.flatMap((each) => [each, ...betweenConvolutions(each)]);
        const inputs = Object.fromEntries(all.map((each, i) => [i, arraysFor(each, kernel)]));
        const run = (arrays: Record<string, tf.Tensor[]>) =>
          Object.fromEntries(all.map((each, i) => [i, derivativesOf(each, arrays[i]!).results]));
        const results: Record<string, Record<string, HostArray>>[] = [];
        for (const engine of [a, b]) {
          const compiled = engine.compile(run, { name: kernel });
          results.push(await compiled(inputs) as unknown as (typeof results)[number]);
          await compiled.dispose();
        }
        all.forEach(({ title }, i) => {
          for (const [name, { data: expected }] of Object.entries(results[0]![i]!)) {
            const actual = results[1]![i]![name]!.data;
            assertNear(actual, expected, tolerance, `${title}: ${name}`, nonFinite);
          }
        });
      },
    }),
  );
}

function assertNear(
  actual: Float32Array,
  expected: Float32Array,
  tolerance: number,
  what: string,
  nonFinite: boolean,
): void {
  const scale = expected.filter(Number.isFinite).reduce((s, x) => Math.max(s, Math.abs(x)), 1e-3);
  expected.forEach((x, i) => {
    const y = actual[i]!;
    if (!nonFinite && !Number.isFinite(x)) return;
    const near = Number.isFinite(x) ? Math.abs(x - y) <= tolerance * scale : Object.is(x, y);
    assert.ok(near, `${what}: ${y} for ${x}`);
  });
}
