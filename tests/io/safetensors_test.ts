import assert from "node:assert/strict";
import fc from "fast-check";
import type { HostArray } from "../../core/contracts.ts";
import {
  inspectSafetensorsFile,
  readSafetensors,
  readSafetensorsFile,
  writeSafetensors,
  writeSafetensorsFile,
} from "../../io/safetensors.ts";

const array = (shape: readonly number[], ...numbers: number[]): HostArray => ({
  shape,
  data: new Float32Array(numbers),
});

/** A file with this text as its header, then this data. */
function file(header: unknown, data: ArrayBufferView | number = 0): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const content = typeof data === "number"
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const bytes = new Uint8Array(8 + json.length + content.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(content, 8 + json.length);
  return bytes;
}

const one = (dtype: string, shape: number[], bytes: number) => ({
  a: { dtype, shape, data_offsets: [0, bytes] },
});

Deno.test("writeSafetensors() writes the documented bytes", () => {
  const bytes = writeSafetensors({ b: array([1, 2], 1, -2), a: array([], 0.5) }, {
    metadata: { note: "hi" },
  });
  const header = '{"__metadata__":{"note":"hi"},' +
    '"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
    '"b":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  assert.equal(new DataView(bytes.buffer).getBigUint64(0, true), BigInt(padded.length));
  assert.equal(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length)), padded);
  const data = bytes.slice(8 + padded.length);
  assert.deepEqual([...new Float32Array(data.buffer)], [0.5, 1, -2]);
});

Deno.test("writeSafetensors() gives the same bytes for any order of names", () => {
  const a = array([1], 1), b = array([1], 2);
  assert.deepEqual(
    writeSafetensors({ a, b }, { metadata: { x: "1", y: "2" } }),
    writeSafetensors({ b, a }, { metadata: { y: "2", x: "1" } }),
  );
});

Deno.test("writeSafetensors() writes views of a larger buffer", () => {
  const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const { tensors } = readSafetensors(writeSafetensors({ a: { shape: [2], data } }));
  assert.deepEqual([...tensors.a!.data], [1, 2]);
});

Deno.test("writeSafetensors() rounds to float16 and refuses what does not fit", () => {
  const values = [1 / 3, 65519, -65504, 2 ** -24, Infinity, NaN];
  const bytes = writeSafetensors({ a: array([6], ...values) }, { dtype: "F16" });
  const { data } = readSafetensors(bytes).tensors.a!;
  assert.deepEqual([...data], [0.333251953125, 65504, -65504, 2 ** -24, Infinity, NaN]);
  assert.throws(() => writeSafetensors({ a: array([1], -65520) }, { dtype: "F16" }), {
    name: "RangeError",
    message: 'Cannot write safetensors: expected "a" to lie within the range of float16 ' +
      '(below 65520) but received -65520; use dtype "F32"',
  });
});

Deno.test("writeSafetensors() refuses what the format cannot hold", () => {
  assert.throws(() => writeSafetensors({ a: array([2, 2], 1) }), {
    name: "RangeError",
    message:
      'Cannot write safetensors: expected "a" to fill its shape but received 1 numbers for shape [2, 2]',
  });
  assert.throws(() => writeSafetensors({ __metadata__: array([0]) }), {
    name: "RangeError",
    message: "Cannot write safetensors: expected names to be well-formed Unicode and not " +
      '"__metadata__" but received "__metadata__"',
  });
  assert.throws(() => writeSafetensors({ "\ud800": array([0]) }), { name: "RangeError" });
  assert.throws(
    () => writeSafetensors({ a: { shape: [1], data: [1] as unknown as Float32Array } }),
    {
      name: "TypeError",
      message: 'Cannot write safetensors: expected "a" to be a Float32Array but received "object"',
    },
  );
  assert.throws(
    () => writeSafetensors({}, { metadata: { step: 3 } as unknown as Record<string, string> }),
    {
      name: "TypeError",
      message: 'Cannot write safetensors: expected metadata "step" to be text but received 3',
    },
  );
});

Deno.test("readSafetensors() converts every dtype to float32", () => {
  const cases: [string, ArrayBufferView, number[]][] = [
    ["F64", new Float64Array([0.1, -1e300]), [Math.fround(0.1), -Infinity]],
    ["F32", new Float32Array([0.1, -2]), [Math.fround(0.1), -2]],
    ["F16", new Uint16Array([0x3c00, 0xc000, 0x7c00]), [1, -2, Infinity]],
    ["BF16", new Uint16Array([0x3f80, 0xc000, 0x4049]), [1, -2, 3.140625]],
    ["I64", new BigInt64Array([-3n, 2n ** 40n]), [-3, 2 ** 40]],
    ["I32", new Int32Array([-3, 7]), [-3, 7]],
    ["I16", new Int16Array([-3, 7]), [-3, 7]],
    ["I8", new Int8Array([-3, 7]), [-3, 7]],
    ["U64", new BigUint64Array([2n ** 63n]), [2 ** 63]],
    ["U32", new Uint32Array([4294967295]), [2 ** 32]],
    ["U16", new Uint16Array([65535]), [65535]],
    ["U8", new Uint8Array([255]), [255]],
    ["BOOL", new Uint8Array([0, 1, 1]), [0, 1, 1]],
  ];
  for (const [dtype, data, expected] of cases) {
    const header = one(dtype, [expected.length], data.byteLength);
    const { tensors } = readSafetensors(file(header, data));
    assert.deepEqual([...tensors.a!.data], expected, dtype);
    assert.deepEqual(tensors.a!.shape, [expected.length]);
  }
});

Deno.test("readSafetensors() reads tensors in any order of the header, and empty ones", () => {
  const header = {
    c: { dtype: "F32", shape: [0, 3], data_offsets: [4, 4] },
    b: { dtype: "U8", shape: [1], data_offsets: [4, 5] },
    a: { dtype: "F32", shape: [], data_offsets: [0, 4] },
  };
  const { tensors, metadata } = readSafetensors(file(header, new Uint8Array([0, 0, 128, 63, 8])));
  assert.deepEqual(tensors, { a: array([], 1), b: array([1], 8), c: array([0, 3]) });
  assert.deepEqual(Object.keys(tensors), ["a", "b", "c"]);
  assert.deepEqual(metadata, {});
});

Deno.test("readSafetensors() takes hostile names as names", () => {
  const header = `{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},` +
    `"constructor":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`;
  const { tensors } = readSafetensors(file(header, new Uint8Array([1, 2])));
  assert.equal(Object.getPrototypeOf(tensors), Object.prototype);
  assert.deepEqual(Object.keys(tensors), ["__proto__", "constructor"]);
});

Deno.test("readSafetensors() keeps nothing of the given bytes", () => {
  const bytes = writeSafetensors({ a: array([1], 1) });
  const { tensors } = readSafetensors(bytes);
  bytes.fill(255);
  assert.deepEqual([...tensors.a!.data], [1]);
});

Deno.test("readSafetensors() names what is wrong and where", async (t) => {
  const known = "F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL";
  const huge = new Uint8Array(8).fill(255);
  const two = (begin: number, end: number) => ({
    a: { dtype: "U8", shape: [2], data_offsets: [0, 2] },
    b: { dtype: "U8", shape: [end - begin], data_offsets: [begin, end] },
  });
  const faults: [string, Uint8Array, string, string][] = [
    ["nothing", new Uint8Array(0), "SyntaxError", "at least 8 bytes but received 0"],
    ["three bytes", new Uint8Array(3), "SyntaxError", "at least 8 bytes but received 3"],
    [
      "a big header",
      huge,
      "SyntaxError",
      "a header of at most 100000000 bytes but received a length of 18446744073709551615; " +
      "this may be a file of another format",
    ],
    [
      "a truncated header",
      file("{}   ").subarray(0, 10),
      "SyntaxError",
      "a header of 5 bytes but received a file that ends after 2 of them",
    ],
    ["an empty header", file(""), "SyntaxError", 'a header of JSON but received ""'],
    [
      "no JSON",
      file('{"a":1, b}'),
      "SyntaxError",
      "a header of JSON but received other text at character 8",
    ],
    [
      "a byte order mark",
      file("\ufeff{}"),
      "SyntaxError",
      'a header of JSON but received "\ufeff{}"',
    ],
    [
      "no UTF-8",
      (() => {
        const bytes = file("{ }");
        bytes[9] = 0xff;
        return bytes;
      })(),
      "SyntaxError",
      "a header of UTF-8 text but received other bytes",
    ],
    ["a list", file("[1]"), "TypeError", "a header of names but received [1]"],
    ["a null", file("null"), "TypeError", "a header of names but received null"],
    [
      "one name twice",
      file(
        `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}, "\\u0061" : {"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`,
      ),
      "SyntaxError",
      'every key once but received "a" twice',
    ],
    [
      "one field twice",
      file(`{"a":{"dtype":"U8","shape":[1],"shape":[0],"data_offsets":[0,0]}}`),
      "SyntaxError",
      'every key once but received "shape" twice',
    ],
    ["an entry of text", file({ a: "x" }), "TypeError", 'an object of "a" but received "x"'],
    [
      "metadata of numbers",
      file({ __metadata__: { step: 1 } }),
      "TypeError",
      'text as "__metadata__" of "step" but received 1',
    ],
    [
      "metadata as a list",
      file({ __metadata__: [] }),
      "TypeError",
      '"__metadata__" to be an object but received []',
    ],
    [
      "an unknown dtype",
      file(one("F8_E4M3", [1], 1), 1),
      "RangeError",
      `a dtype of "a" that is one of ${known} but received "F8_E4M3"`,
    ],
    [
      "a dtype of the prototype",
      file(one("toString", [1], 1), 1),
      "RangeError",
      `a dtype of "a" that is one of ${known} but received "toString"`,
    ],
    [
      "no dtype",
      file({ a: { shape: [], data_offsets: [0, 4] } }, 4),
      "RangeError",
      `a dtype of "a" that is one of ${known} but received nothing`,
    ],
    [
      "a negative shape",
      file(one("U8", [-1, -1], 1), 1),
      "RangeError",
      'a shape of "a" of whole numbers but received [-1,-1]',
    ],
    [
      "a shape of fractions",
      file(one("F32", [0.5], 2), 2),
      "RangeError",
      'a shape of "a" of whole numbers but received [0.5]',
    ],
    [
      "an endless shape",
      file(one("U8", [2 ** 40, 2 ** 40], 1), 1),
      "RangeError",
      '1.2089258196146292e+24 bytes of "a" (U8, shape [1099511627776,1099511627776]) ' +
      "but received data_offsets [0,1]",
    ],
    [
      "three offsets",
      file({ a: { dtype: "U8", shape: [1], data_offsets: [0, 1, 2] } }, 1),
      "RangeError",
      'data_offsets of "a" of two whole numbers but received [0,1,2]',
    ],
    [
      "offsets beyond the end",
      file(one("F32", [2], 8), 7),
      "RangeError",
      'data_offsets of "a" within 7 bytes but received [0,8]',
    ],
    [
      "offsets backwards",
      file({ a: { dtype: "U8", shape: [0], data_offsets: [1, 0] } }, 1),
      "RangeError",
      'data_offsets of "a" within 1 bytes but received [1,0]',
    ],
    [
      "a shape of another size",
      file(one("F32", [2], 4), 4),
      "RangeError",
      '8 bytes of "a" (F32, shape [2]) but received data_offsets [0,4]',
    ],
    [
      "an overlap",
      file(two(1, 3), 3),
      "RangeError",
      '"b" to begin at byte 2, right after "a", but received 1, which leaves an overlap',
    ],
    [
      "a gap",
      file(two(3, 4), 4),
      "RangeError",
      '"b" to begin at byte 2, right after "a", but received 3, which leaves a gap',
    ],
    ["bytes too many", file(two(2, 3), 5), "RangeError", "3 bytes of data but received 5"],
    [
      "names that steer a terminal",
      file({ "\u001b[2J\u009b1m": 1 }),
      "TypeError",
      'an object of "\\u001b[2J\\u009b1m" but received 1',
    ],
  ];
  for (const [fault, bytes, name, message] of faults) {
    await t.step(fault, () => {
      assert.throws(() => readSafetensors(bytes, { name: "x.safetensors" }), {
        name,
        message: `Cannot read safetensors "x.safetensors": expected ${message}`,
      });
    });
  }
});

Deno.test("readSafetensors() knows keys from values, with any text in them", () => {
  const text = ' {"a":1} \\" \\\\", "x": [ ';
  const tensors = { 'a": {': array([], 1), "\\": array([], 2), "x:": array([], 3) };
  const metadata = { 'a": {': text, b: '"a": {', "\\": text };
  assert.deepEqual(readSafetensors(writeSafetensors(tensors, { metadata })).metadata, metadata);
  const spaced = '{ "a" : { "dtype" : "U8" , "shape" : [ ] , "data_offsets" : [ 0 , 1 ] } } ';
  assert.deepEqual(readSafetensors(file(spaced, 1)).tensors, { a: array([], 0) });
});

Deno.test("readSafetensors() reads texts of megabytes and refuses deep headers", () => {
  const metadata = { a: '\\"'.repeat(2e6) };
  assert.deepEqual(readSafetensors(writeSafetensors({}, { metadata })).metadata, metadata);
  const deep = file(`{"a":${'{"":'.repeat(2e5)}0${"}".repeat(2e5)}}`);
  assert.throws(() => readSafetensors(deep), { name: "RangeError" });
});

Deno.test("readSafetensors() survives a header nested 200,000 times", () => {
  const bytes = file(`{"a":${"[".repeat(2e5)}${"]".repeat(2e5)}}`);
  assert.throws(() => readSafetensors(bytes), (error: Error) => {
    assert.ok(
      error.message.startsWith('Cannot read safetensors "bytes": expected an object of "a"'),
    );
    return error.message.length < 300;
  });
});

const tensors = fc.dictionary(
  fc.string({ unit: "grapheme", maxLength: 12 }).filter((name) => name !== "__metadata__"),
  fc.array(fc.nat(4), { maxLength: 4 }).chain((shape) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return fc.array(fc.float({ noNaN: true }), { minLength: size, maxLength: size })
      .map((data) => array(shape, ...data));
  }),
  { maxKeys: 6 },
);
const metadata = fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), {
  maxKeys: 3,
});

Deno.test("writeSafetensors() and readSafetensors() round trip", () => {
  fc.assert(fc.property(tensors, metadata, (tensors, metadata) => {
    const read = readSafetensors(writeSafetensors(tensors, { metadata }));
    assert.deepEqual({ ...read.tensors }, { ...tensors });
    assert.deepEqual({ ...read.metadata }, { ...metadata });
  }));
});

/** Reads, and lets only the module's own errors pass. */
function readOrRefuse(bytes: Uint8Array): ReturnType<typeof readSafetensors> | undefined {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.ok(["SyntaxError", "TypeError", "RangeError"].includes(error.name), String(error));
    assert.match(error.message, /^Cannot read safetensors "bytes": expected .+ but received .+$/);
    return undefined;
  }
}

Deno.test("readSafetensors() refuses every truncation", () => {
  const whole = writeSafetensors({ a: array([3], 1, 2, 3), b: array([], 4) }, {
    metadata: { x: "y" },
  });
  for (let length = 0; length < whole.length; length++) {
    assert.equal(readOrRefuse(whole.subarray(0, length)), undefined, `${length} bytes`);
  }
});

Deno.test("readSafetensors() answers random corruption with an error or whole arrays", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(tensors, flips, (tensors, flips) => {
      const bytes = writeSafetensors(tensors);
      for (const [place, bits] of flips) bytes[place % bytes.length]! ^= bits;
      for (const { shape, data } of Object.values(readOrRefuse(bytes)?.tensors ?? {})) {
        assert.equal(data.length, shape.reduce((product, length) => product * length, 1));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("readSafetensors() answers random bytes and headers with an error", () => {
  const entry = fc.record({
    dtype: fc.constantFrom("F32", "U8", "F64", "x"),
    shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 3 }), fc.anything()),
    data_offsets: fc.oneof(fc.tuple(fc.integer({ min: -1, max: 40 }), fc.nat(40)), fc.anything()),
  }, { requiredKeys: [] });
  const header = fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue()));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), header), fc.nat(40), (content, size) => {
      if (content instanceof Uint8Array) readOrRefuse(content);
      else {
        let json: string;
        try {
          json = JSON.stringify(content);
        } catch {
          return; // fast-check also makes bigints and cycles
        }
        readOrRefuse(file(json, size));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("writeSafetensorsFile() and readSafetensorsFile() round trip", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/new/folder/a.safetensors`;
    await writeSafetensorsFile(path, { a: array([2], 1, 2) });
    await writeSafetensorsFile(path, { a: array([2], 3, 4) }, { metadata: { k: "v" } });
    assert.deepEqual(await readSafetensorsFile(path), {
      tensors: { a: array([2], 3, 4) },
      metadata: { k: "v" },
    });
    assert.deepEqual(await inspectSafetensorsFile(path), {
      entries: [{ name: "a", dtype: "F32", shape: [2], begin: 0, end: 8 }],
      metadata: { k: "v" },
    });
    const names = [...Deno.readDirSync(`${dir}/new/folder`)].map(({ name }) => name);
    assert.deepEqual(names, ["a.safetensors"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("readSafetensorsFile() names a file that is missing or cut off", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/a.safetensors`;
    await assert.rejects(readSafetensorsFile(path), (error: Error) => {
      const start =
        `Cannot read safetensors "${path}": expected a file that can be opened but received `;
      assert.ok(error.message.startsWith(start), error.message);
      return true;
    });
    await writeSafetensorsFile(path, { a: array([2], 1, 2) });
    await Deno.truncate(path, (await Deno.stat(path)).size - 1);
    const error = {
      name: "RangeError",
      message: `Cannot read safetensors "${path}": ` +
        'expected data_offsets of "a" within 7 bytes but received [0,8]',
    };
    await assert.rejects(readSafetensorsFile(path), error);
    await assert.rejects(inspectSafetensorsFile(path), error);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("writeSafetensorsFile() leaves the old file and no other if it fails", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/taken/full`, { recursive: true });
    await assert.rejects(writeSafetensorsFile(`${dir}/taken`, { a: array([1], 1) }), {
      name: "Error",
      message: new RegExp(
        `^Cannot write "${dir}/taken": expected a writable file but received ".+"$`,
      ),
    });
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["taken"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
