import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../core/random.ts";
import { createCompiledEngine } from "../../engine/compiled.ts";
import { unsupportedKernels } from "../../engine/kernels/mod.ts";
import { createEngine, type Engine, type StepContext } from "../../engine/mod.ts";

const engines: Readonly<Record<string, Engine>> = {
  compiled: await createEngine({ threads: 1 }),
  eager: await createEngine({ engine: "tfjs", native: false }),
};

Deno.test.afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.dispose();
});

const two = { shape: [2], data: Float32Array.of(1, 2) };
const matrix = { shape: [2, 3], data: new Float32Array(6) };

// deno-lint-ignore no-explicit-any -- these are the mistakes of authors whom no type stopped
type Mistake = (inputs: any, context: StepContext) => any;

const reject = (fn: Mistake, inputs: unknown, error: object | RegExp, engine = "compiled") =>
  assert.rejects(engines[engine]!.compile(fn, { name: "step" })(inputs as never), error);

Deno.test("an unknown kernel is named, with those that are known, nearest first", async () => {
  const unknown: Mistake = ({ x }) => tf.engine().runKernel("Squire", { x });
  await reject(unknown, { x: two }, ({ name, message }: Error) => {
    assert.equal(name, "RangeError");
    const start =
      'Cannot trace "step": expected kernels that have a rule but received "Squire"; known kernels, nearest first, are Square, Slice, ';
    assert.equal(message.slice(0, start.length), start);
    assert.ok(message.includes(", Conv2D, ") && message.includes(", Prelu"));
    return true;
  });
});

Deno.test("a kernel that cannot have a rule is named with the reason", async () => {
  await reject(
    ({ x }) => tf.unique(x).values,
    { x: two },
    /^RangeError: Cannot trace "step": expected kernels that have a rule but received "Unique" \(the shape of its result depends on the numbers\); known kernels, nearest first, are /,
  );
});

Deno.test("every kernel of TensorFlow.js has a rule or a reason", () => {
  const known = (kernel: string) =>
    tf.getKernel(kernel, "haarlem-tracing") !== undefined || kernel in unsupportedKernels;
  const missing = tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName)
    .filter((kernel) => !known(kernel) && !kernel.startsWith("Acme"));
  assert.deepEqual(missing, []);
});

Deno.test("every kernel that TensorFlow.js can differentiate has a rule, but for complex numbers", () => {
  const missing = tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName)
    .filter((kernel) => tf.getGradient(kernel) && !tf.getKernel(kernel, "haarlem-tracing"));
  assert.deepEqual(missing, ["ComplexAbs"]);
});

const readers: Readonly<Record<string, (x: tf.Tensor) => unknown>> = {
  dataSync: (x) => x.dataSync(),
  arraySync: (x) => x.arraySync(),
  data: (x) => x.data(),
  print: (x) => x.print(),
};
for (const [name, read] of Object.entries(readers)) {
  Deno.test(`${name}() while tracing names the operation that it reads`, async () => {
    const fn: Mistake = ({ x }) => {
      const y = tf.square(x);
      void read(y);
      return y;
    };
    await reject(fn, { x: two }, {
      name: "Error",
      message:
        'Cannot trace "step": expected no value to be read but the function reads a result of "Square"; compute with tensors only, or read outside of the compiled function',
    });
  });
}

Deno.test("reading an input while tracing is named too", async () => {
  await reject(({ x }) => tf.mul(x, x.dataSync()[0]), { x: two }, {
    name: "Error",
    message:
      'Cannot trace "step": expected no value to be read but the function reads an input; compute with tensors only, or read outside of the compiled function',
  });
});

Deno.test("a constant may be read while tracing", async () => {
  const fn = ({ x }: { x: tf.Tensor }) => tf.mul(x, tf.range(3, 5).dataSync());
  const { data } = await engines["compiled"]!.compile(fn, { name: "step" })({ x: two });
  assert.deepEqual([...data], [3, 8]);
});

const mismatches: Readonly<Record<string, readonly [Mistake, string]>> = {
  Add: [
    ({ x, m }) => tf.add(x, m),
    "expected shapes that broadcast but received [2] and [2,3]",
  ],
  Select: [
    ({ x, m }) => tf.engine().runKernel("Select", { condition: tf.cast(x, "bool"), t: m, e: m }),
    "expected shapes that broadcast but received [2] and [2,3]",
  ],
  BatchMatMul: [
    ({ m }) => tf.matMul(m, m),
    "expected equal inner sizes but received [2,3] and [2,3]",
  ],
  Concat: [
    ({ x, m }) => tf.concat([m, tf.reshape(x, [2, 1]), tf.reshape(x, [1, 2])], 1),
    "expected equal shapes but for axis 1 but received [2,3] and [1,2]",
  ],
  Pack: [
    ({ m }) => tf.stack([m, tf.transpose(m)]),
    "expected equal shapes but received [2,3] and [3,2]",
  ],
  Reshape: [
    ({ m }) => tf.reshape(m, [4]),
    "expected shapes of equal size but received [2,3] and [4]",
  ],
  Slice: [
    ({ m }) => tf.slice(m, [1, 1], [1, 3]),
    "expected a part of [2,3] but received begin [1,1] and size [1,3]",
  ],
  Conv2D: [
    ({ m }) =>
      tf.conv2d(
        tf.reshape(m, [1, 1, 2, 3]) as tf.Tensor4D,
        tf.ones([1, 1, 1, 1]),
        1,
        "valid",
        "NCHW",
      ),
    "expected data with channels last but received NCHW",
  ],
};
for (const [kernel, [fn, sentence]] of Object.entries(mismatches)) {
  Deno.test(`shapes that ${kernel} cannot take are named with it and the function`, async () => {
    await reject(fn, { x: two, m: matrix }, {
      name: "RangeError",
      message: `Cannot trace "${kernel}" in "step": ${sentence}`,
    });
  });
}

Deno.test("what TensorFlow.js itself asserts is told with the function's name", async () => {
  await reject(({ m }) => tf.conv2d(m, tf.ones([1, 1, 1, 1]), 1, "same"), { m: matrix }, {
    name: "Error",
    message: 'Cannot trace "step": Error in conv2d: input must be rank 4, but got rank 2.',
  });
});

Deno.test("an author's own error is left alone", async () => {
  class OwnError extends Error {
    override name = "OwnError";
  }
  const fn: Mistake = () => {
    throw new OwnError("Cannot do it");
  };
  await reject(fn, { x: two }, { name: "OwnError", message: "Cannot do it" });
});

Deno.test("random numbers that tracing would freeze are refused", async () => {
  let calls = 0; // state outside of the function differs between two recordings, too
  for (const draw of [() => tf.randomNormal([2]), () => tf.scalar(calls++)]) {
    await reject(({ x }) => tf.add(x, draw()), { x: two }, {
      name: "Error",
      message:
        'Cannot compile "step": expected a pure function but two recordings differ; draw random tensors from step.random or as inputs, and keep no state outside',
    });
  }
});

Deno.test("a dropout inside is refused as well", async () => {
  await reject(
    ({ x }) => tf.dropout(x, 0.5),
    { x: two },
    /^Error: Cannot compile "step": expected a pure/,
  );
});

for (const engine of Object.keys(engines)) {
  Deno.test(`the ${engine} engine asks for the source of random tensors`, async () => {
    await reject(({ x }, { random }) => tf.add(x, random.normal([2])), { x: two }, {
      name: "TypeError",
      message:
        'Cannot run "step": expected the option "random" because the function draws random tensors but received none',
    }, engine);
  });

  Deno.test(`the ${engine} engine names inputs that are no arrays`, async () => {
    const identity: Mistake = ({ x }) => x;
    const message = (received: string) => ({
      name: "TypeError",
      message:
        `Cannot run "step": expected arrays { shape, data: Float32Array }, or records and lists of them, but received ${received}`,
    });
    const wrong: [unknown, string][] = [
      [{ x: { shape: [1], data: Int32Array.of(1) } }, '{ shape, data: Int32Array } at "x"'],
      [{ x: { shape: [1], data: [1] } }, '{ shape, data: Array } at "x"'],
      [{ x: Float32Array.of(1) }, 'a bare Float32Array at "x"'],
      [{ x: 1 }, 'a number at "x"'],
      [{ x: [two, undefined] }, 'undefined at "x.1"'],
      [{ x: null }, 'null at "x"'],
      ["x", "a string"],
    ];
    for (const [inputs, received] of wrong) {
      await reject(identity, inputs, message(received), engine);
    }
    const tensor = tf.scalar(1);
    await reject(identity, { x: tensor }, message('a tensor at "x"'), engine);
    tensor.dispose();
  });

  Deno.test(`the ${engine} engine names an input whose numbers do not fit its shape`, async () => {
    await reject(({ x }) => x, { x: { shape: [2, 3], data: new Float32Array(5) } }, {
      name: "RangeError",
      message: 'Cannot run "step": expected 6 numbers for shape [2,3] but received 5 at "x"',
    }, engine);
  });

  Deno.test(`the ${engine} engine names outputs that are no tensors`, async () => {
    const message = (received: string) => ({
      name: "TypeError",
      message:
        `Cannot compile "step": expected tensors, or records and lists of them, to be returned but received ${received}`,
    });
    const wrong: [Mistake, string][] = [
      [({ x }) => ({ loss: 1, x }), 'a number at "loss"'],
      [() => undefined, "undefined"],
      [({ x }) => [x, "no"], 'a string at "1"'],
      [({ x }) => Promise.resolve(x), "a promise"],
      [() => ({ deep: { er: null } }), 'null at "deep.er"'],
    ];
    for (const [fn, received] of wrong) await reject(fn, { x: two }, message(received), engine);
  });

  Deno.test(`the ${engine} engine keeps what a function closes over`, async () => {
    const weight = tf.keep(tf.tensor1d([2, 3]));
    const scale = ({ x }: { x: tf.Tensor }) => tf.mul(x, weight);
    const shift = ({ x }: { x: tf.Tensor }) => tf.add(tf.square(tf.add(x, 1)), weight);
    for (const _ of [1, 2]) {
      const scaled = await engines[engine]!.compile(scale, { name: "scale" })({ x: two });
      const shifted = await engines[engine]!.compile(shift, { name: "shift" })({ x: two });
      assert.deepEqual([...scaled.data], [2, 6]);
      assert.deepEqual([...shifted.data], [6, 12]);
    }
    assert.deepEqual([...weight.dataSync()], [2, 3]); // and leaves it readable
    weight.dispose();
  });

  Deno.test(`the ${engine} engine gives numbers of every type as float32`, async () => {
    const fn = ({ x }: { x: tf.Tensor }) => ({
      whole: tf.cast(x, "int32"),
      large: tf.greater(x, 1),
      argument: tf.argMax(x),
    });
    const results = await engines[engine]!.compile(fn, { name: "types" })({ x: two });
    assert.deepEqual(
      Object.entries(results).map(([name, { data }]) => [name, data]),
      [
        ["argument", Float32Array.of(1)],
        ["large", Float32Array.of(0, 1)],
        ["whole", Float32Array.of(1, 2)],
      ],
    );
  });
}

Deno.test("a tensor of another recording is refused", async () => {
  let kept: tf.Tensor | undefined;
  const keep = ({ x }: { x: tf.Tensor }) => kept = tf.keep(tf.square(x));
  await engines["compiled"]!.compile(keep, { name: "keep" }).prepare({ x: two }).catch(() => {});
  await reject(({ x }) => tf.add(x, kept!), { x: two }, {
    name: "Error",
    message:
      'Cannot trace "step": expected tensors of its own but received one that was recorded for "keep"; return it there and pass it as an input',
  });
  kept?.dispose();
});

Deno.test("the random source makes runs repeatable, compiled as eager", async () => {
  const fn = ({ x }: { x: tf.Tensor }, { random }: StepContext) => tf.add(x, random.normal([2]));
  const results = [];
  for (const engine of Object.values(engines)) {
    const step = engine.compile(fn, { name: "step" });
    for (const seed of [1, 1, 2]) {
      const { data } = await step({ x: two }, { random: createRandom(seed, "test") });
      results.push([...data]);
    }
  }
  const [first, again, other] = results;
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
  assert.deepEqual(results.slice(3), [first, again, other]);
});

Deno.test("an engine that could not open a program says why once, and not when it is disposed", async () => {
  const engine = createCompiledEngine({
    name: "openvino",
    device: "cpu",
    threads: 1,
    precision: "f32",
    description: "opens nothing",
    open: () => Promise.reject(new Error("Cannot open it")),
    close: () => {},
  });
  const step = engine.compile(({ x }: { x: tf.Tensor }) => tf.neg(x), { name: "step" });
  await assert.rejects(step({ x: two }), { message: "Cannot open it" });
  await engine.dispose();
});
