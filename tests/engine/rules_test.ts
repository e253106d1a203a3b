import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { type ComposedRule, createEngine, type KernelRule } from "../../engine/mod.ts";

const x = { shape: [3], data: Float32Array.of(-2, 1, 4) };
const run = (kernel: string, x: tf.Tensor) => tf.engine().runKernel(kernel, { x }) as tf.Tensor;

/** x clip(x/6 + 1/2, 0, 1), one node of ONNX. */
const node: KernelRule = {
  kernel: "AcmeHardSwish",
  inputs: ["x"],
  infer: ([x]) => x!,
  lower({ inputs: [x], outputs: [out] }, l) {
    const layout = l.layoutOf([x!]);
    l.put(out!, l.emit("HardSwish", [l.get(x!, layout)]), layout);
  },
};

/** The same, of functions that are known. */
const composed: ComposedRule = {
  kernel: "AcmeHardSwish",
  compose: ({ x }) => tf.mul(x!, tf.clipByValue(tf.add(tf.div(x!, 6), 0.5), 0, 1)),
};

tf.registerKernel({
  kernelName: "AcmeHardSwish",
  backendName: "cpu",
  kernelFunc: ({ inputs }) => composed.compose({ x: inputs["x"] as tf.Tensor }, {}) as tf.Tensor,
});
const hardSwish = ({ x }: { x: tf.Tensor }) => run("AcmeHardSwish", x);

for (const [kind, rules] of Object.entries({ node: [node], composed: [composed] })) {
  Deno.test(`createEngine() takes a rule that is ${kind}`, async () => {
    const engines = [
      await createEngine({ engine: "tfjs", native: false, rules }),
      await createEngine({ threads: 1, rules }),
    ];
    const results = [];
    for (const engine of engines) {
      const { data } = await engine.compile(hardSwish, { name: "swish" })({ x });
      results.push([...data].map((value) => value.toFixed(5)));
      await engine.dispose();
    }
    assert.deepEqual(results[0], ["-0.33333", "0.66667", "4.00000"]);
    assert.deepEqual(results[1], results[0]);
  });
}

Deno.test("createEngine() prefers a rule to the built-in one, in that engine only", async () => {
  const cube: ComposedRule = { kernel: "Square", compose: ({ x }) => tf.mul(x!, tf.mul(x!, x!)) };
  const [other, plain] = [
    await createEngine({ threads: 1, rules: [cube] }),
    await createEngine({ threads: 1 }),
  ];
  const square = ({ x }: { x: tf.Tensor }) => tf.square(x);
  const [cubed, squared] = [
    await other.compile(square, { name: "cube" })({ x }),
    await plain.compile(square, { name: "square" })({ x }),
  ];
  assert.deepEqual([...cubed.data], [-8, 1, 64]);
  assert.deepEqual([...squared.data], [4, 1, 16]);
  await other.dispose();
  await plain.dispose();
});

Deno.test("a rule of one engine is unknown to another", async () => {
  const engine = await createEngine({ threads: 1 });
  await assert.rejects(
    engine.compile(hardSwish, { name: "swish" })({ x }),
    /^RangeError: Cannot trace "swish": expected kernels that have a rule but received "AcmeHardSwish"; known/,
  );
  await engine.dispose();
});

Deno.test("a rule that refuses its inputs is named with the function", async () => {
  const rules: KernelRule[] = [{
    ...node,
    infer: ([x]) => {
      throw new RangeError(`Cannot infer a shape: expected four axes but received [${x!.shape}]`);
    },
  }];
  const engine = await createEngine({ threads: 1, rules });
  await assert.rejects(engine.compile(hardSwish, { name: "swish" })({ x }), {
    name: "RangeError",
    message: 'Cannot trace "AcmeHardSwish" in "swish": expected four axes but received [3]',
  });
  await engine.dispose();
});
