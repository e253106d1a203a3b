import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { interpret } from "./interpret.ts";
import { passes, simplify } from "../../engine/passes/mod.ts";
import { createEngine } from "../../engine/mod.ts";
import { trace } from "../../engine/tracing.ts";
import { STEPS } from "./cases/steps.ts";

/* Random programs on images: layouts must follow through any order of operations, and no rewrite may
 * change a result. Every step keeps numbers small and has derivatives, so that both are compared. */

type Plan = readonly number[];

/** The steps of a plan that fit, in order; `names` is what a failure shows. */
function build(plan: Plan, names: string[]) {
  return (x: tf.Tensor): tf.Tensor => {
    names.length = 0;
    const values: tf.Tensor4D[] = [x as tf.Tensor4D];
    plan.forEach((choice, i) => {
      const last = values.at(-1)!;
      const { name, run, takes = () => true } = STEPS[choice]!;
      if (!takes(last.shape) || last.size > 500) return;
      names.push(name);
      values.push(run(last, values[(choice + i) % values.length]!) as tf.Tensor4D);
    });
    return values.at(-1)!;
  };
}

/** Values, and the gradient of a curved sum of them. */
const outcome = (fn: (x: tf.Tensor) => tf.Tensor) => ({ x }: { x: tf.Tensor }) => ({
  value: fn(x),
  gradient: tf.grad((x) => tf.sum(tf.square(fn(x))))(x),
});

const engine = await createEngine({ threads: 1 });
const eager = await createEngine({ engine: "tfjs", native: false });
Deno.test.afterAll(async () => {
  await engine.dispose();
  await eager.dispose();
});

const SHAPE = [2, 4, 3, 4];
const x: HostArray = createRandom(1, "programs").uniform(SHAPE, -1, 1);
const plans = fc.array(fc.nat(STEPS.length - 1), { minLength: 1, maxLength: 7 });

function assertNear(
  actual: HostArray,
  expected: HostArray,
  tolerance: number,
  where: string,
): void {
  assert.deepEqual([...actual.shape], [...expected.shape], where);
  const scale = expected.data.reduce((largest, v) => Math.max(largest, Math.abs(v)), 1e-6);
  const worst = expected.data.reduce((w, v, i) => Math.max(w, Math.abs(v - actual.data[i]!)), 0);
  assert.ok(
    worst <= tolerance * scale + 3e-6, // numbers that cancel leave their rounding
    `${where}: differs by ${worst} of ${scale}`,
  );
}

async function assertSame(plan: Plan): Promise<void> {
  const names: string[] = [];
  const fn = outcome(build(plan, names));
  const step = engine.compile(fn, { name: "program" });
  const [actual, expected] = [
    await step({ x }),
    await eager.compile(fn, { name: "program" })({ x }),
  ];
  await step.dispose();
  for (const key of ["value", "gradient"] as const) {
    assertNear(actual[key], expected[key], 2e-4, `${key} of ${names.join(", ")}`);
  }
}

Deno.test("every step of the random programs is the same compiled and eager", async () => {
  for (const i of STEPS.keys()) await assertSame([i, 6, i]);
});

Deno.test("random programs are the same compiled and eager", async () => {
  await fc.assert(fc.asyncProperty(plans, assertSame), { numRuns: 60, seed: 1 });
});

/** The program of a plan, values and gradient. */
function record(plan: Plan) {
  const fn = outcome(build(plan, []));
  return trace("program", [SHAPE], ([x]) => Object.values(fn({ x: x! })));
}

function numbersOf(program: ReturnType<typeof record>): HostArray[] {
  return tf.tidy(() =>
    interpret(program, [tf.tensor(x.data, SHAPE)])
      .map((y) => ({ shape: y.shape, data: Float32Array.from(y.dataSync()) }))
  );
}

for (const [name, pass] of Object.entries({ ...passes, simplify })) {
  Deno.test(`${name}() keeps the results of random programs, and adds no operation`, () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const program = record(plan);
        const rewritten = pass(program);
        assert.ok(rewritten.ops.length <= program.ops.length);
        const expected = numbersOf(program);
        numbersOf(rewritten).forEach((made, i) => assertNear(made, expected[i]!, 1e-4, name));
      }),
      { numRuns: 25, seed: 2 },
    );
  });
}

Deno.test("simplify() finds nothing more the second time", () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const once = simplify(record(plan));
      assert.equal(simplify(once).ops.length, once.ops.length);
    }),
    { numRuns: 40, seed: 3 },
  );
});
