import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { builtInRules } from "../../engine/kernels/mod.ts";
import { createEngine } from "../../engine/mod.ts";
import { trace, TRACING_BACKEND } from "../../engine/tracing.ts";
import { arraysFor, betweenConvolutions, derivativesOf, type KernelCase } from "./cases/case.ts";
import { kernelCases } from "./cases/mod.ts";

const compiled = await createEngine({ threads: 1 });

trace("nothing", [], () => []); // the kernels are registered at the first use

Deno.test.afterAll(async () => {
  await compiled.dispose();
});

Deno.test("every built-in rule has a case, and every case a rule", () => {
  const rules = [...builtInRules.map(({ kernel }) => kernel), "Identity"];
  assert.deepEqual(Object.keys(kernelCases).sort(), rules.sort());
});

for (const [kernel, cases] of Object.entries(kernelCases)) {
  Deno.test(`kernel ${kernel} is the same compiled and eager, derivatives too`, async () => {
    const all = cases.flatMap((each) => [each, ...betweenConvolutions(each)]);
    const inputs = Object.fromEntries(all.map((each, i) => [i, arraysFor(each, kernel)]));
    const dtypes: Record<string, readonly string[]> = {};
    const run = (arrays: Record<string, tf.Tensor[]>) =>
      Object.fromEntries(all.map((each, i) => {
        const made = derivativesOf(each, arrays[i]!);
        dtypes[`${tf.getBackend()} ${i}`] = made.dtypes;
        return [i, made.results];
      }));
    const expected = onCpu(run, inputs);
    const met = spy(kernel);
    const actual = await compiled.compile(run, { name: kernel })(inputs);
    assert.ok(met(), `no case runs ${kernel}`);
    all.forEach((each, i) => {
      assert.deepEqual(dtypes[`${TRACING_BACKEND} ${i}`], dtypes[`cpu ${i}`], each.title);
      for (const [name, value] of Object.entries(expected[i]!)) {
        assertSame(actual[i]![name]!, value, each, `${each.title}: ${name}`);
      }
    });
  });
}

/** Runs a function on TensorFlow.js's own CPU backend, the reference. */
function onCpu(
  run: (arrays: Record<string, tf.Tensor[]>) => Record<string, Record<string, tf.Tensor>>,
  inputs: Record<string, HostArray[]>,
): Record<string, Record<string, HostArray>> {
  tf.setBackend("cpu");
  const lift = ({ shape, data }: HostArray) => tf.tensor(data, [...shape]);
  const lower = (x: tf.Tensor) => ({ shape: x.shape, data: Float32Array.from(x.dataSync()) });
  const results: Record<string, Record<string, HostArray>> = {};
  tf.tidy(() => {
    const made = run(
      Object.fromEntries(Object.entries(inputs).map(([i, list]) => [i, list.map(lift)])),
    );
    for (const [i, values] of Object.entries(made)) {
      results[i] = Object.fromEntries(Object.entries(values).map(([name, x]) => [name, lower(x)]));
    }
  });
  return results;
}

/** Tells whether the tracing backend's kernel was run since. */
function spy(kernel: string): () => boolean {
  const config = tf.getKernel(kernel, TRACING_BACKEND) as { kernelFunc: tf.KernelFunc } | undefined;
  assert.ok(config, `${kernel} is not registered`);
  const { kernelFunc } = config;
  let met = false;
  config.kernelFunc = (parameters) => {
    met = true;
    return kernelFunc(parameters);
  };
  return () => {
    config.kernelFunc = kernelFunc;
    return met;
  };
}

function assertSame(
  { shape, data }: HostArray,
  expected: HostArray,
  { tolerance }: KernelCase,
  where: string,
): void {
  assert.deepEqual([...shape], [...expected.shape], where);
  const finite = expected.data.filter(Number.isFinite);
  const scale = finite.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  data.forEach((x, i) => {
    const y = expected.data[i]!;
    const near = Number.isFinite(y) ? Math.abs(x - y) <= tolerance * scale : Object.is(x, y);
    if (!near) {
      assert.fail(
        `${where}: received [${data.slice(0, 12)}], expected [${expected.data.slice(0, 12)}]`,
      );
    }
  });
}
