import assert from "node:assert/strict";
import { bytesAccess, openFile, type RandomAccess } from "../../io/random_access.ts";
import { readTorch } from "../../io/torch.ts";
import { torchTable } from "../../io/torch_table.ts";
import { readTensor } from "../../io/torch_tensor.ts";
import { golden } from "../golden.ts";
import { global, pickleOf, raw, torchMembers, writeTorch } from "./torch_writer.ts";
import { joinBytes, littleEndian, type Member, writeZip } from "./zip_writer.ts";

const path = (file: string) => new URL(`../golden/${file}`, import.meta.url);
const goldenBytes = (file: string) => Deno.readFileSync(path(file));
const table = (access: RandomAccess) => torchTable(readTorch(access).value, access);
const tableOf = (bytes: Uint8Array) => table(bytesAccess(bytes, "x.pt"));
const refuses = (bytes: Uint8Array, message: string | RegExp) =>
  assert.throws(
    () => tableOf(bytes).forEach((tensor) => readTensor(tensor)),
    { name: "SyntaxError", message },
  );

for (const file of ["torch2.pt", "torch2_legacy.pt"]) {
  Deno.test(`readTorch() reads every type and view of ${file}`, () => {
    const bytes = goldenBytes(file);
    const value = readTorch(bytesAccess(bytes)).value as Map<string, unknown>;
    assert.equal(value.get("steps"), 12345678901);
    assert.equal(value.get("name"), "naïve");
    assert.deepEqual(value.get("size"), [2, 3]);

    const tensors = tableOf(bytes);
    const read = (name: string) => {
      const { shape, data } = readTensor(tensors.get(name)!);
      return [...shape, ":", ...data];
    };
    for (const type of ["float64", "float32", "float16", "bfloat16"]) {
      assert.deepEqual(read(`types.${type}`), [4, ":", 1.5, -2, 0, 3], type);
    }
    for (const type of ["int64", "int32", "int16", "int8"]) {
      assert.deepEqual(read(`types.${type}`), [4, ":", 1, -2, 0, 3], type);
    }
    assert.deepEqual(read("types.uint8"), [4, ":", 1, 200, 0, 3]);
    assert.deepEqual(read("types.bool"), [4, ":", 1, 0, 0, 1]);
    if (file === "torch2.pt") {
      assert.deepEqual(read("types.uint16"), [4, ":", 1, 65000, 0, 3]);
      assert.deepEqual(read("types.uint32"), [4, ":", 1, 2, 0, 3]);
    }

    const range = (length: number) => Array.from({ length }, (_, i) => i);
    const whole = range(24);
    assert.deepEqual(read("views.whole"), [2, 3, 4, ":", ...whole]);
    const turned = whole.map((i) => 12 * (Math.floor(i / 3) % 2) + 4 * (i % 3) + Math.floor(i / 6));
    assert.deepEqual(read("views.transposed"), [4, 2, 3, ":", ...turned]);
    assert.deepEqual(read("views.slice"), [3, 2, ":", 13, 14, 17, 18, 21, 22]);
    assert.deepEqual(read("views.expanded"), [2, 3, ":", 5, 5, 5, 5, 5, 5]);
    assert.deepEqual(read("views.scalar"), [":", 7]);
    assert.deepEqual(read("views.empty"), [0, 3, ":"]);
    assert.deepEqual(read("views.channels_last"), [1, 2, 2, 4, ":", ...range(16)]);
    assert.deepEqual(read("views.parameter"), [4, ":", 0, 1, 2, 3]);
    assert.equal(tensors.get("views.whole")!.storage, tensors.get("views.slice")!.storage);
    for (const module of ["module", "module_state"]) {
      assert.deepEqual(read(`${module}.weight`), [1, 2, ":", 1, 2]);
      assert.deepEqual(read(`${module}.bias`), [1, ":", 3]);
    }
    assert.deepEqual(read("numpy.c"), [2, 3, ":", ...range(6)]);
    assert.deepEqual(read("numpy.f"), [2, 3, ":", ...range(6)]);
  });
}

const kept = [
  ["rosinality.pt", "zip", "latent_avg", "rosinality/latent_avg"],
  ["rosinality_legacy.pt", "legacy", "latent_avg", "rosinality/latent_avg"],
  ["ada.pkl", "pickle", "G_ema.mapping.w_avg", "ada/w_avg"],
  ["ada_protocol3.pkl", "pickle", "G_ema.mapping.w_avg", "ada/w_avg"],
  ["mobilestylegan.ckpt", "zip", "state_dict.style_mean", "mobilestylegan/style_mean"],
] as const;

for (const [file, format, name, expected] of kept) {
  Deno.test(`readTorch() reads ${file} from memory and from disk`, () => {
    const bytes = goldenBytes(file);
    assert.equal(readTorch(bytesAccess(bytes)).format, format);
    const inMemory = tableOf(bytes);
    assert.deepEqual([...readTensor(inMemory.get(name)!).data], [...golden(expected).data]);
    using opened = openFile(path(file));
    const onDisk = table(opened);
    assert.deepEqual([...onDisk.keys()], [...inMemory.keys()]);
    for (const [name, tensor] of onDisk) {
      assert.deepEqual(readTensor(tensor), readTensor(inMemory.get(name)!), name);
    }
  });
}

Deno.test("readTorch() finds the same tensors in both formats of a file", () => {
  const zip = tableOf(goldenBytes("rosinality.pt"));
  for (const [name, tensor] of tableOf(goldenBytes("rosinality_legacy.pt"))) {
    assert.deepEqual(readTensor(tensor), readTensor(zip.get(name)!), name);
  }
});

Deno.test("readTorch() reads nothing of a tensor before it is asked for", () => {
  const bytes = goldenBytes("rosinality.pt");
  let read = 0;
  const watched = (access: RandomAccess): RandomAccess => ({
    ...access,
    read(offset, length) {
      read += length;
      return access.read(offset, length);
    },
    slice: (offset, length) => watched(access.slice(offset, length)),
  });
  const tensors = table(watched(bytesAccess(bytes)));
  assert.ok(read < 400_000, `${read} of ${bytes.length} bytes`);
  read = 0;
  readTensor(tensors.get("latent_avg")!);
  assert.equal(read, 2 * 128); // once for the checksum
});

const array = (shape: readonly number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
});

Deno.test("readTorch() reads deflated and big-endian archives", () => {
  const state = { a: array([3]) };
  const deflated = tableOf(writeZip(torchMembers(state, { deflate: true })));
  assert.deepEqual([...readTensor(deflated.get("a")!).data], [0, 1, 2]);
  const [pickle, storage, ...rest] = torchMembers(state) as [Member, Member, ...Member[]];
  const swapped = storage.bytes.slice();
  new Uint32Array(swapped.buffer).forEach((word, i) =>
    new DataView(swapped.buffer).setUint32(4 * i, word, false)
  );
  const order = { name: "archive/byteorder", bytes: raw("big") };
  const big = tableOf(writeZip([pickle, { ...storage, bytes: swapped }, order, ...rest]));
  assert.deepEqual([...readTensor(big.get("a")!).data], [0, 1, 2]);
});

const name = '^Cannot read "x\\.pt" at byte \\d+: ';
const tensorPickle = (view: string, size = "K\x04") =>
  pickleOf(
    `${global("torch._utils", "_rebuild_tensor_v2")}((X\x07\0\0\0storage${
      global("torch", "FloatStorage")
    }X\x01\0\0\x000X\x03\0\0\0cpu${size}tQ${view}\x89}tR`,
  );
const archive = (pickle: Uint8Array, storage = new Uint8Array(16)) =>
  writeZip([
    { name: "archive/data.pkl", bytes: pickle },
    { name: "archive/data/0", bytes: storage },
  ]);

Deno.test("readTorch() reads a tensor within its storage, and refuses one that is not", () => {
  const read = (view: string) => {
    const bytes = archive(tensorPickle(view));
    const access = bytesAccess(bytes, "x.pt");
    return readTorch(access).value as { shape: number[] };
  };
  assert.deepEqual(read("K\x02K\x02\x85K\x01\x85").shape, [2]);
  const refusesView = (view: string, message: string) =>
    assert.throws(() => read(view), { name: "SyntaxError", message: new RegExp(name + message) });
  refusesView(
    "K\x02K\x03\x85K\x01\x85",
    "expected a tensor inside its storage of 4 elements but received one to 5$",
  );
  refusesView(
    "K\x00K\x02K\x02\x86K\x04K\x01\x86",
    "expected a tensor inside its storage of 4 elements but received one to 6$",
  );
  refusesView("K\x00K\x02\x85)", "expected 1 strides for shape \\[2\\] but received 0$");
  refusesView(
    "K\x00J\xff\xff\xff\xff\x85K\x01\x85",
    "expected a tensor's offset, shape and strides of at most 16 axes but received other values$",
  );
  refusesView("N)K\x00\x85", "expected a tensor's offset, shape");
  refusesView(
    "K\x00J\xff\xff\xff\x7f\x85K\x00\x85",
    "expected a tensor of at most 1048580 elements but received \\[2147483647\\]$",
  );
});

Deno.test("readTorch() compares storages with their members", () => {
  const view = "K\x00K\x02\x85K\x01\x85";
  refuses(
    archive(tensorPickle(view), new Uint8Array(12)),
    new RegExp(`${name}expected "archive/data/0" of 16 bytes but received 12 bytes$`),
  );
  refuses(
    writeZip([{ name: "archive/data.pkl", bytes: tensorPickle(view) }]),
    new RegExp(`${name}expected "archive/data/0" of 16 bytes but received no such member$`),
  );
  const member = (key: string) =>
    pickleOf(
      `(X\x07\0\0\0storage${global("torch", "FloatStorage")}X${
        String.fromCharCode(key.length)
      }\0\0\0${key}X\x03\0\0\0cpuK\x04tQ`,
    );
  refuses(
    archive(member("../0")),
    new RegExp(`${name}expected a storage's key of letters and digits but received "\\.\\./0"$`),
  );
  refuses(
    archive(pickleOf(`(X\x07\0\0\0storage${global("torch", "Magic")}X\x01\0\0\x000NK\x04tQ`)),
    new RegExp(
      `${name}expected a storage of DoubleStorage, .* but received the name "torch Magic"$`,
    ),
  );
  refuses(
    archive(pickleOf("NQ")),
    new RegExp(`${name}expected the id of a storage but received null$`),
  );
});

Deno.test("readTorch() finds damage by the checksum", () => {
  const bytes = goldenBytes("torch2.pt");
  const tensors = tableOf(bytes);
  const { access } = { access: tensors.get("views.whole")!.storage.open() };
  bytes[access.start + 5]! ^= 1;
  refuses(
    bytes,
    /expected the bytes of "torch2\/data\/\d+" to have checksum .* so the file is damaged$/,
  );
});

Deno.test("readTorch() names files of other formats", () => {
  refuses(
    raw("\x89HDF\r\n"),
    'Cannot read "x.pt" at byte 0: expected a file of PyTorch (zip, legacy or pickle) but received bytes 89 48 44 46',
  );
  refuses(
    new Uint8Array(0),
    'Cannot read "x.pt" at byte 0: expected a file of PyTorch (zip, legacy or pickle) but received an empty file',
  );
  refuses(
    writeZip([{ name: "a.txt", bytes: raw("a") }]),
    'Cannot read "x.pt" at byte 0: expected a zip archive of PyTorch with one "data.pkl" but received 0 of them',
  );
  const script = [...torchMembers({ a: 1 }), { name: "archive/code/x.py", bytes: raw("") }];
  refuses(
    writeZip(script),
    'Cannot read "x.pt" at byte 0: expected a file of weights but received a TorchScript program; save its state_dict',
  );
  refuses(
    writeZip([...torchMembers({ a: 1 }), { name: "b/data.pkl", bytes: pickleOf("N") }]),
    /received 2 of them$/,
  );
});

const legacyStart = joinBytes([
  pickleOf("\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"),
  pickleOf("M\xe9\x03"),
  pickleOf("}"),
]);
const legacyFloat = "(X\x07\0\0\0storageh\x07X\x01\0\0\x000X\x03\0\0\0cpuK\x02NtQ";
const legacy = (object: string, ...rest: Uint8Array[]) =>
  joinBytes([
    legacyStart,
    pickleOf(`${global("torch", "FloatStorage")}q\x070${object}`),
    ...rest,
  ]);
const two = joinBytes([littleEndian([2, 8]), new Uint8Array(Float32Array.of(3, 4).buffer)]);

Deno.test("readTorch() reads the parts of the legacy format, and says which one is wrong", () => {
  const tensor = `${
    global("torch._utils", "_rebuild_tensor")
  }(${legacyFloat}K\x00K\x02\x85K\x01\x85tR`;
  const dict = `}X\x01\0\0\0a${tensor}s`;
  const good = tableOf(legacy(dict, pickleOf("]X\x01\0\0\x000a"), two));
  assert.deepEqual([...readTensor(good.get("a")!).data], [3, 4]);
  const part = dict.replace("K\x02NtQ", "K\x02(X\x01\0\0\0vK\x01K\x01ttQ")
    .replace("K\x00K\x02\x85K\x01\x85", "K\x00K\x01\x85K\x01\x85");
  const viewed = tableOf(legacy(part, pickleOf("]X\x01\0\0\x000a"), two));
  assert.deepEqual([...readTensor(viewed.get("a")!).data], [4]);

  const wrong: [Uint8Array, string][] = [
    [legacy(dict, pickleOf("N")), "expected a list of storages but received null$"],
    [legacy(dict, pickleOf("]")), 'expected the storage "0" but received none$'],
    [
      legacy(dict, pickleOf("]X\x01\0\0\x001a")),
      'expected each storage of the object once but received "1"$',
    ],
    [
      legacy(dict, pickleOf("]X\x01\0\0\x000a"), littleEndian([3, 8])),
      "expected a storage of 2 elements but received 3$",
    ],
    [
      legacy(dict, pickleOf("]X\x01\0\0\x000a"), two.subarray(0, 12)),
      "expected 8 more bytes but received 4 bytes$",
    ],
    [
      joinBytes([legacyStart.subarray(0, 15), pickleOf("M\xe8\x03")]),
      "expected version 1001 of the format but received 1000$",
    ],
  ];
  for (const [bytes, message] of wrong) refuses(bytes, new RegExp(name + message));
});

Deno.test("readTorch() refuses nested files that hold no storage", () => {
  const load = (bytes: Uint8Array) =>
    joinBytes([
      raw(`\x80\x03${global("torch.storage", "_load_from_bytes")}B`),
      littleEndian([bytes.length, 4]),
      bytes,
      raw("\x85R."),
    ]);
  refuses(
    load(legacy("N", pickleOf("]"))),
    new RegExp(`${name}expected a storage but received null$`),
  );
  refuses(load(raw("\xff")), new RegExp(`${name}expected a pickle opcode but received 0xff$`));
  const good = readTorch(bytesAccess(load(legacy(legacyFloat, pickleOf("]X\x01\0\0\x000a"), two))));
  assert.equal((good.value as { size: number }).size, 2);
});

Deno.test("torchTable() refuses names without end", () => {
  const cyclic = pickleOf("}q\x00X\x01\0\0\0ah\x00s");
  refuses(cyclic, /expected at most 32 levels of names but received more, or a cycle$/);
  // Each dict twice in the next one: 2^30 paths in 500 bytes.
  const laughs = "}" + Array.from({ length: 25 }, () => "q\x010}(K\x01h\x01K\x02h\x01u").join("");
  refuses(pickleOf(laughs), /expected at most 200000 named values but received more, or a cycle$/);
  refuses(
    pickleOf(`}X\x2c\x01\0\0${"a".repeat(300)}Ns`),
    /expected names of at most 256 characters/,
  );
});

Deno.test("torchTable() takes names as data, whatever they are", () => {
  const state = writeTorch({ ["__proto__"]: { constructor: array([1]) } });
  assert.deepEqual([...tableOf(state).keys()], ["__proto__.constructor"]);
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
});
