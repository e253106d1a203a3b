import assert from "node:assert/strict";
import { cpus } from "node:os";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { findOpenvino } from "../../engine/find_openvino.ts";
import { createEngine, disposeArrays } from "../../engine/mod.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { difference } from "./run_model.ts";

// What needs the library is skipped where it is not installed; what concerns finding it is not.
const found = findOpenvino(undefined);
const ignore = !("path" in found);

const array = (shape: number[], ...values: number[]): HostArray => ({
  shape,
  data: Float32Array.from(values),
});

Deno.test("createEngine() says how to get OpenVINO", async () => {
  await assert.rejects(createEngine({ engine: "openvino", openvino: "/nowhere" }), {
    name: "Error",
    message:
      'Cannot create the engine "openvino": expected the option "openvino" to name OpenVINO\'s C library or a folder that holds it but received "/nowhere"; install it with "pip install openvino"',
  });
  await assert.rejects(createEngine({ engine: "auto", openvino: "/nowhere" }), {
    message: /^Cannot create the engine "auto": /,
  });
});

Deno.test("createEngine() refuses a precision that the engine does not have", async () => {
  await assert.rejects(createEngine({ precision: "bf16" }), {
    name: "RangeError",
    message:
      'Cannot create the engine "onnx": expected "precision" to be one of "f32" but received "bf16"',
  });
});

Deno.test("createEngine() says what auto chose", async () => {
  const engine = await createEngine({ engine: "auto", threads: 1 });
  assert.equal(engine.name, ignore ? "onnx" : "openvino");
  assert.match(
    engine.description,
    ignore ? /chosen by auto: OpenVINO is not/ : /chosen by auto: OpenVINO is installed/,
  );
  await engine.dispose();
});

const layouts = [
  ["a Python environment", "lib/python3.13/site-packages/openvino/libs"],
  ["a folder of packages", "openvino/libs"],
  ["the package", "libs"],
  ["an unpacked archive", "runtime/lib/intel64"],
  ["the folder itself", "."],
] as const;

for (const [name, below] of layouts) {
  Deno.test({
    name: `findOpenvino() finds the library in ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const root = await Deno.makeTempDir();
      await Deno.mkdir(`${root}/${below}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${below}/libopenvino.so.2641`, "");
      assert.ok("missing" in findOpenvino(root));
      await Deno.writeTextFile(`${root}/${below}/libopenvino_c.so.2641`, "");
      const library = findOpenvino(root) as { path: string };
      assert.match(library.path, /libopenvino_c\.so\.2641$/);
      assert.ok((await Deno.stat(library.path)).isFile);
      assert.deepEqual(findOpenvino(library.path), { path: library.path });
      await Deno.remove(root, { recursive: true });
    },
  });
}

Deno.test({
  name: "the openvino engine runs functions with inputs that nothing reads",
  ignore,
  async fn() {
    const engine = await createEngine({ engine: "openvino", threads: 1 });
    assert.match(engine.description, /^OpenVINO \S+ on the CPU, 1 thread, f32$/);
    const fn = engine.compile(
      ({ a, b }: { a: tf.Tensor; b: tf.Tensor; unread: tf.Tensor }) => ({
        sum: tf.add(a, b),
        same: a,
        constant: tf.ones([2]),
        scalar: tf.sum(b),
      }),
      { name: "sums" },
    );
    const { sum, same, constant, scalar } = await fn({
      a: array([2, 2], 1, 2, 3, 4),
      b: array([2], 10, 20),
      unread: array([1], 9),
    });
    assert.deepEqual(sum, array([2, 2], 11, 22, 13, 24));
    assert.deepEqual(same, array([2, 2], 1, 2, 3, 4));
    assert.deepEqual(constant, array([2], 1, 1));
    assert.deepEqual(scalar, array([], 30));
    await engine.dispose();
  },
});

Deno.test({
  name: "the openvino engine writes into arrays that are given back, once, and into no other",
  ignore,
  async fn() {
    const engine = await createEngine({ engine: "openvino", threads: 1 });
    const next = engine.compile(({ x }: { x: tf.Tensor }) => ({ x: tf.add(x, 1) }), {
      name: "count",
      resident: ["x"],
    });
    const zero = { x: array([3], 0, 0, 0) };
    const one = await next(zero) as { x: HostArray };
    const two = await next(one) as { x: HostArray };
    disposeArrays([zero, one, one]);
    const three = await next(two) as { x: HostArray };
    const four = await next(three) as { x: HostArray };
    assert.equal(three.x.data, one.x.data);
    assert.equal(new Set([zero, two, three, four].map(({ x }) => x.data)).size, 4);
    assert.deepEqual([zero, two, three, four].map(({ x }) => x.data[2]), [0, 2, 3, 4]);
    await engine.dispose();
  },
});

Deno.test({
  name: "the openvino engine runs calls that overlap one after the other",
  ignore,
  async fn() {
    const engine = await createEngine({ engine: "openvino", threads: 1 });
    const double = engine.compile(({ x }: { x: tf.Tensor }) => tf.mul(x, 2), { name: "double" });
    const results = await Promise.all(
      [1, 2, 3, 4].map((value) => double({ x: array([1], value) })),
    );
    assert.deepEqual(results.map(({ data }) => data[0]), [2, 4, 6, 8]);
    await engine.dispose();
  },
});

Deno.test({
  name: "the openvino engine runs calls in lanes, more than there are too",
  ignore,
  async fn() {
    const engine = await createEngine({ engine: "openvino", threads: 2 });
    assert.equal(engine.lanes, 2);
    const double = engine.compile(({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) }), {
      name: "double",
      resident: ["y"],
      lanes: 9,
    });
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(
        [1, 2, 3, 4, 5].map((value) => double({ x: array([1], value) })),
      ) as { y: HostArray }[];
      assert.deepEqual(results.map(({ y }) => y.data[0]), [2, 4, 6, 8, 10]);
      disposeArrays(results);
    }
    await engine.dispose();
  },
});

for (const size of [5, 2 ** 14, 2 ** 14 + 1]) { // small inputs are copied, large ones bound
  Deno.test({
    name: `the openvino engine reads inputs of ${size} numbers as they are when it runs`,
    ignore,
    async fn() {
      const engine = await createEngine({ engine: "openvino", threads: 2 });
      const double = engine.compile(({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) }), {
        name: "double",
        resident: ["y"],
        lanes: 2,
      });
      const run = async (x: HostArray) => await double({ x }) as { y: HostArray };
      const check = async (x: HostArray) => {
        const { y } = await run(x);
        assert.deepEqual(y.data, x.data.map((number) => 2 * number));
        disposeArrays([y]);
      };
      const filled = (value: number): HostArray => ({
        shape: [size],
        data: new Float32Array(size).fill(value),
      });
      const [a, b] = [filled(1), filled(2)];
      for (const x of [a, a, a, b, b, a, b, a]) await check(x);
      a.data.fill(7);
      for (let lane = 0; lane < 2; lane++) await check(a);
      const kept = await run(a);
      for (let i = 0; i < 4; i++) await check(b);
      assert.ok(kept.y.data.every((number) => number === 14));
      await engine.dispose();
    },
  });
}

for (const size of [[2, 30, 31], [3, 12, 12]] as const) { // tiles that reach over every border, and none
  Deno.test({
    name: `the openvino engine convolves ${size} images by products, and finds their gradients`,
    ignore,
    async fn() {
      const [engine, other] = [
        await createEngine({ engine: "openvino", threads: 1 }),
        await createEngine({ engine: "onnx", threads: 1 }), // winograd_test.ts has that one's
      ];
      const channels = 64; // so many that products pay
      const inputs = {
        filter: createRandom(1, "filter").normal([3, 3, channels, channels]),
        style: createRandom(1, "style").normal([size[0], 1, 1, channels]),
        x: createRandom(1, "x").normal([...size, channels]),
      };
      const gradients = (given: Record<keyof typeof inputs, tf.Tensor>) => {
        const loss = (x: tf.Tensor, style: tf.Tensor, filter: tf.Tensor) => {
          const filters = filter as tf.Tensor4D;
          const y = tf.conv2d(tf.mul(x, style) as tf.Tensor4D, filters, 1, "same");
          return tf.sum(tf.square(tf.conv2d(leakyRelu(y, 0.2) as tf.Tensor4D, filters, 1, "same")));
        };
        const [x, style, filter] = tf.grads(loss as never)([given.x, given.style, given.filter]);
        return { x, style, filter };
      };
      const actual = await engine.compile(gradients as never, { name: "both" })(inputs as never);
      const expected = await other.compile(gradients as never, { name: "both" })(inputs as never);
      for (const [name, { data }] of Object.entries(expected as Record<string, HostArray>)) {
        const found = (actual as unknown as Record<string, HostArray>)[name]!.data as Float32Array;
        const worst = difference(found, data as Float32Array);
        assert.ok(worst < 1e-5, `${name} differs by ${worst} of the largest number`);
      }
      await engine.dispose();
      await other.dispose();
    },
  });
}

/** The cores to which single threads of this process are bound at the moment. */
function boundCores(): string[] {
  return [...Deno.readDirSync("/proc/self/task")].flatMap(({ name }) => {
    const [, list = ""] = /^Cpus_allowed_list:\s*(\S+)/m.exec(statusOf(name)) ?? [];
    return /^\d+$/.test(list) ? [list] : [];
  });
}

function statusOf(task: string): string {
  try {
    return Deno.readTextFileSync(`/proc/self/task/${task}/status`);
  } catch {
    return ""; // it has ended since
  }
}

const cores = cpus().length;
for (
  const [what, threads, lanes, bound, overlaps] of [
    ["binds a lane to each core while it runs", cores, cores, cores, false],
    ["leaves threads that share a run free", cores, 1, 0, false],
    ["leaves lanes free that are fewer than the cores", cores - 1, cores - 1, 0, false],
    ["leaves lanes free that run beside others", cores, cores, 0, true],
  ] as const
) {
  Deno.test({
    name: `the openvino engine ${what}`,
    ignore: ignore || Deno.build.os !== "linux" || cores < 2,
    async fn() {
      const engine = await createEngine({ engine: "openvino", threads });
      const square = engine.compile(({ x }: { x: tf.Tensor2D }) => tf.matMul(x, x), {
        name: "square",
        lanes,
        overlaps,
      });
      const x = { shape: [1024, 1024], data: new Float32Array(1024 ** 2) };
      const seen = new Set<string>();
      for (let round = 0; round < 20 && seen.size < lanes; round++) { // who looks may come too late
        let running = lanes;
        const runs = Array.from({ length: lanes }, () => square({ x }).finally(() => running--));
        while (running > 0) {
          boundCores().forEach((core) => seen.add(core));
          await new Promise((resolve) => setTimeout(resolve));
        }
        await Promise.all(runs);
      }
      await engine.dispose();
      assert.equal(seen.size, bound);
    },
  });
}

Deno.test({
  name: "the openvino engine keeps compiled models in the cache by content",
  ignore,
  async fn() {
    const cache = await Deno.makeTempDir();
    const files = () => [...Deno.readDirSync(cache)].length;
    for (const [factor, count] of [[2, 1], [2, 1], [3, 2]] as const) {
      const engine = await createEngine({ engine: "openvino", threads: 1, cache });
      const numbers = Float32Array.from({ length: 3000 }, (_, i) => i * factor);
      const shift = engine.compile(({ x }: { x: tf.Tensor }) => tf.add(tf.tensor1d(numbers), x), {
        name: "shift", // by more numbers than the model itself holds
      });
      const { data } = await shift({ x: array([1], 5) });
      assert.equal(data[2999], 2999 * factor + 5);
      assert.equal(files(), count);
      await engine.dispose();
    }
    await Deno.remove(cache, { recursive: true });
  },
});

for (const knows of [true, false]) {
  Deno.test({
    name: `the openvino engine reads large constants ${
      knows ? "where they are" : "from the model if OpenVINO knows no addresses"
    }`,
    ignore,
    async fn() {
      const { dlopen } = Deno;
      let asked = 0;
      Deno.dlopen = ((...given: Parameters<typeof dlopen>) => {
        const library = dlopen(...given);
        const symbols = library.symbols as unknown as Record<
          string,
          (...args: unknown[]) => bigint
        >;
        const memmove = (...args: unknown[]) => {
          asked++;
          return knows ? symbols["memmove"]!(...args) : 0n; // nothing is there
        };
        return { symbols: { ...symbols, memmove }, close: () => library.close() };
      }) as unknown as typeof dlopen;
      try {
        const engine = await createEngine({ engine: "openvino", threads: 1 });
        const numbers = Float32Array.from({ length: 3000 }, (_, i) => i);
        for (const factor of [1, 2]) {
          const add = engine.compile(
            ({ x }: { x: tf.Tensor }) => tf.add(tf.tensor1d(numbers.map((n) => n * factor)), x),
            { name: "add" },
          );
          const { data } = await add({ x: array([1], 0.5) });
          assert.deepEqual(data, numbers.map((n) => n * factor + 0.5));
        }
        await engine.dispose();
        assert.equal(asked, knows ? 2 : 1); // once refused, they are not tried again
      } finally {
        Deno.dlopen = dlopen;
      }
    },
  });
}
