import assert from "node:assert/strict";
import { unpickle, type UnpickleOptions } from "../../io/pickle.ts";
import { isBytes, type PickleObject } from "../../io/pickle_values.ts";
import { bytesAccess } from "../../io/random_access.ts";
import { global, pickleOf, raw } from "./torch_writer.ts";

const load = (bytes: Uint8Array, options?: UnpickleOptions) =>
  unpickle(bytesAccess(bytes, "x.pkl"), 0, options).value;
const value = (...parts: readonly (Uint8Array | string)[]) => load(pickleOf(...parts));
const refuses = (body: string, message: string, options?: UnpickleOptions) =>
  assert.throws(() => load(pickleOf(body), options), { name: "SyntaxError", message });

/** What `pickle.dumps` gives for each value, all protocols. */
const constants: readonly (readonly [string, unknown])[] = [
  ["N", null],
  ["\x88", true],
  ["\x89", false],
  ["I00\n", false],
  ["I01\n", true],
  ["I-7\n", -7],
  ["L12345678901234567890L\n", 12345678901234567890n],
  ["K\xff", 255],
  ["M\x00\x01", 256],
  ["J\xfe\xff\xff\xff", -2],
  ["\x8a\x00", 0],
  ["\x8a\x02\x00\x80", -32768],
  ["\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00", 2n ** 64n - 1n],
  ["\x8b\x01\x00\x00\x00\x05", 5],
  ["G\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5],
  ["F-2.5e3\n", -2500],
  ["Fnan\n", NaN],
  ["F-inf\n", -Infinity],
  ["X\x03\x00\x00\x00\xc3\xa9!", "é!"],
  ["\x8c\x02\xc3\xa9", "é"],
  ["\x8d\x01\x00\x00\x00\x00\x00\x00\x00a", "a"],
  ["Va\\u00e9\n", "aé"],
  ["S'it\\'s\\x41'\n", "it'sA"],
  ["U\x02\xe9a", "éa"],
  ["T\x01\x00\x00\x00\xe9", "é"],
  ["(K\x01K\x02t", [1, 2]],
  [")", []],
  ["K\x01\x85", [1]],
  ["K\x01K\x02K\x03\x87", [1, 2, 3]],
  ["]K\x01a", [1]],
  ["](K\x01K\x02e", [1, 2]],
  ["(K\x01l", [1]],
  ["}K\x01K\x02s", new Map([[1, 2]])],
  ["}(K\x01K\x02u", new Map([[1, 2]])],
  ["(K\x01K\x02d", new Map([[1, 2]])],
  ["\x8f(K\x01\x90", new Set([1])],
  ["(K\x01\x91", new Set([1])],
  ["K\x01K\x020", 1],
  ["K\x01(K\x02K\x031", 1],
  ["K\x012\x86", [1, 1]],
  ["]q\x05h\x05\x86", [[], []]],
  ["]\x94h\x00\x86", [[], []]],
  ["]p3\ng3\n\x86", [[], []]],
  ["]r\x00\x01\x00\x00j\x00\x01\x00\x00\x86", [[], []]],
  ["\x95\x01\x00\x00\x00\x00\x00\x00\x00N", null],
  [`${global("collections", "OrderedDict")})R`, new Map()],
  [`${global("collections", "OrderedDict")}]K\x01K\x02\x86a\x85R`, new Map([[1, 2]])],
  [`${global("__builtin__", "set")}]K\x01a\x85R`, new Set([1])],
  [`${global("builtins", "frozenset")}]K\x01a\x85R`, new Set([1])],
];

Deno.test("unpickle() reads every opcode of plain values", () => {
  for (const [body, expected] of constants) assert.deepEqual(value(body), expected, body);
});

Deno.test("unpickle() says where a pickle ends", () => {
  const access = bytesAccess(raw("\x80\x02K\x01.\x80\x02K\x02."));
  const first = unpickle(access, 0);
  assert.deepEqual(first, { value: 1, end: 5 });
  assert.equal(unpickle(access, first.end).value, 2);
});

Deno.test("unpickle() tells tuples from lists by freezing them", () => {
  assert.ok(Object.isFrozen(value("K\x01\x85")));
  assert.ok(!Object.isFrozen(value("]")));
});

Deno.test("unpickle() leaves bytes in the file", () => {
  for (const body of ["C\x03abc", "B\x03\x00\x00\x00abc", "\x8e\x03\0\0\0\0\0\0\0abc"]) {
    const bytes = value(body);
    assert.ok(isBytes(bytes));
    assert.equal(new TextDecoder().decode(bytes.access.read(0, 3)), "abc");
  }
  const encoded = value(`${global("_codecs", "encode")}X\x02\0\0\0\xc3\xa9X\x06\0\0\0latin1\x86R`);
  assert.ok(isBytes(encoded));
  assert.deepEqual([...encoded.access.read(0, 1)], [0xe9]);
});

Deno.test("unpickle() keeps unknown objects as inert records", () => {
  const object = value(
    `${global("training.config", "Config")})\x81}X\x01\0\0\0aK\x01sb`,
  ) as PickleObject;
  assert.equal(object.name, "training.config Config");
  assert.deepEqual(object.state, new Map([["a", 1]]));
  const easy = value(
    `${global("dnnlib.util", "EasyDict")})\x81(X\x01\0\0\0aK\x01u`,
  ) as PickleObject;
  assert.deepEqual(easy.entries, new Map([["a", 1]]));
  const list = value(`${global("m", "L")})R(K\x01K\x02e`) as PickleObject;
  assert.deepEqual(list.items, [1, 2]);
  const old = value(`(K\x01i${"m\nC\n"}`) as PickleObject;
  assert.deepEqual([old.name, old.args], ["m C", [1]]);
  const called = value(`${global("m", "f")}K\x01\x85RK\x02\x85R`) as PickleObject;
  assert.deepEqual([called.name, called.args], ["m f", [2]]);
  const reconstructed = value(
    `${global("copy_reg", "_reconstructor")}${global("m", "C")}${
      global("__builtin__", "object")
    }N\x87R`,
  ) as PickleObject;
  assert.equal(reconstructed.name, "m C");
});

Deno.test("unpickle() refuses names that run code, and runs nothing", () => {
  for (
    const [module, name] of [
      ["os", "system"],
      ["posix", "system"],
      ["nt", "system"],
      ["subprocess", "Popen"],
      ["builtins", "eval"],
      ["__builtin__", "exec"],
      ["builtins", "getattr"],
      ["builtins", "__import__"],
      ["importlib.util", "find_spec"],
      ["runpy", "run_path"],
      ["socket", "create_connection"],
      ["shutil", "rmtree"],
      ["ctypes", "CDLL"],
      ["pickle", "loads"],
    ]
  ) {
    const message =
      `Cannot read "x.pkl" at byte 2: expected names that weights need but received "${module} ${name}", which could run code; nothing was run`;
    refuses(`${global(module!, name!)}X\x02\0\0\0ls\x85R`, message);
    const strings = [module!, name!].map((s) => `\x8c${String.fromCharCode(s.length)}${s}`);
    assert.throws(
      () => value(`${strings.join("")}\x93)R`),
      /which could run code; nothing was run$/,
    );
  }
});

Deno.test("unpickle() allows a value that contains itself", () => {
  const list = value("]q\x00h\x00a") as unknown[];
  assert.equal(list[0], list);
  const dict = value("}q\x00K\x01h\x00s") as Map<unknown, unknown>;
  assert.equal(dict.get(1), dict);
});

Deno.test("unpickle() nests without end", () => {
  const depth = 200_000;
  let list = value("]".repeat(depth) + "a".repeat(depth - 1)) as unknown[];
  for (let i = 1; i < depth; i++) list = list[0] as unknown[];
  assert.deepEqual(list, []);
});

const faults: readonly (readonly [string, string])[] = [
  ["\xff", "at byte 2: expected a pickle opcode but received 0xff"],
  ["0", "at byte 2: expected a value on the pickle's stack but received an empty stack"],
  ["", "at byte 2: expected a value on the pickle's stack but received an empty stack"],
  ["(K\x010\x85", "at byte 6: expected a value on the pickle's stack but received an empty stack"],
  ["t", "at byte 2: expected a mark on the pickle's stack but received none"],
  ["h\x07", "at byte 2: expected a remembered value 7 but received none"],
  ["NNa", "at byte 4: expected a list to append to but received null"],
  [")Na", "at byte 4: expected a list to append to but received a tuple of 0"],
  ["]NNs", "at byte 5: expected a dict to fill but received a list of 0"],
  ["}(Nu", "at byte 5: expected keys and values in pairs but received 1 values"],
  ["N(N\x90", "at byte 5: expected a set to fill but received null"],
  ["NNR", "at byte 4: expected a tuple of arguments but received null"],
  ["NN\x93", "at byte 4: expected a module and a name but received null and null"],
  ["NQ", "at byte 3: expected no persistent id in this file but received null"],
  [
    "\x82\x01",
    "at byte 2: expected a pickle that is whole in itself but received an extension code",
  ],
  [
    "\x97",
    "at byte 2: expected a pickle that is whole in itself but received an out-of-band buffer",
  ],
  ["\x80\x09", "at byte 2: expected pickle protocol 0 to 5 but received protocol 9"],
  ["Ix\n", 'at byte 2: expected a decimal integer but received "x"'],
  ["F1..2\n", 'at byte 2: expected a decimal number but received "1..2"'],
  ["Sx\n", 'at byte 2: expected a quoted string but received "x"'],
  ["\x8c\x01\xff", "at byte 4: expected a string in UTF-8 but received other bytes"],
  [
    "X\xff\xff\xff\x7f",
    "at byte 7: expected at most 33554432 bytes of text in a pickle but received more",
  ],
  [
    "X\xff\x00\x00\x00",
    "at byte 7: expected 255 more bytes of a pickle but received 1 bytes of a cut-off file",
  ],
  [
    "B\xff\xff\xff\xff",
    "at byte 7: expected 4294967295 more bytes of an array but received 1 bytes of a cut-off file",
  ],
  [
    "\x8b\xff\xff\xff\x7f",
    "at byte 7: expected an integer of at most 256 bytes but received 2147483647 bytes",
  ],
  [
    "\x95\xff\0\0\0\0\0\0\0",
    "at byte 11: expected a frame of 255 bytes but received 1 bytes of a cut-off file",
  ],
  [
    `${global("_codecs", "encode")}N\x85R`,
    "at byte 20: expected a string to encode but received null",
  ],
];

Deno.test("unpickle() says what is wrong and where", () => {
  for (const [body, message] of faults) refuses(body, `Cannot read "x.pkl" ${message}`);
});

Deno.test("unpickle() refuses every cut", () => {
  const whole = pickleOf(...constants.map(([body]) => body));
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => load(whole.subarray(0, length)), SyntaxError);
  }
});

Deno.test("unpickle() limits its work, copies included", () => {
  const limit = { maximumOperations: 1000 };
  const message = /expected a pickle of at most 1000 operations but received more$/;
  assert.throws(() => load(pickleOf("N".repeat(1001)), limit), message);
  const copies = `](${"N".repeat(400)}eq\x00`;
  const copy = `${global("builtins", "list")}h\x00\x85R`;
  load(pickleOf(copies, copy), limit);
  assert.throws(() => load(pickleOf(copies, copy.repeat(2)), limit), message);
});

Deno.test("unpickle() resolves persistent ids by what it is given", () => {
  const persistent = ([id]: readonly unknown[]) => `<${id}>`;
  assert.equal(load(pickleOf("X\x01\0\0\0aQ"), { persistent }), "<a>");
  assert.equal(load(pickleOf("Pb\n"), { persistent }), "<b>");
});
