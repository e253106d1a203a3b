/**
 * Damaged and hostile files in great number: each gives tensors or one clear error, in time.
 *
 * `HAARLEM_FUZZ=20 deno test -A tests/io/torch_fuzz_test.ts` runs 20 times as many cases, with
 * another seed at every run; the plain test repeats the same ones.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesAccess } from "../../io/random_access.ts";
import { readTorch } from "../../io/torch.ts";
import { torchTable } from "../../io/torch_table.ts";
import { readTensor } from "../../io/torch_tensor.ts";
import { readZip } from "../../io/zip.ts";
import { global, pickleOf, raw, torchMembers } from "./torch_writer.ts";
import { joinBytes, littleEndian, type Member, writeZip } from "./zip_writer.ts";

const times = Number(Deno.env.get("HAARLEM_FUZZ") ?? 0);
const settings = (numRuns: number): fc.Parameters<unknown> =>
  times > 0 ? { numRuns: numRuns * times } : { numRuns, seed: 1 };
const slowestMs = 5000; // beside other load; a case takes a few milliseconds

/** Reads all of a file. Anything but tensors or a clear error fails the test. */
function survive(bytes: Uint8Array, { tensors = Infinity } = {}): "read" | "refused" {
  const start = performance.now();
  try {
    const access = bytesAccess(bytes, "x.pt");
    let left = tensors;
    for (const tensor of torchTable(readTorch(access).value, access).values()) {
      if (left-- <= 0) break;
      const { shape, data } = readTensor(tensor);
      assert.equal(data.length, shape.reduce((product, size) => product * size, 1));
    }
    return "read";
  } catch (error) {
    assert.ok(error instanceof SyntaxError, `${error}`);
    assert.match(
      error.message,
      /^Cannot read "x\.pt\P{Cc}*" at byte \d+: expected \P{Cc}+ but received \P{Cc}+$/u,
    );
    assert.ok(error.message.length < 500, error.message);
    return "refused";
  } finally {
    assert.ok(performance.now() - start < slowestMs, "a case took too long");
  }
}

const goldenBytes = (file: string) =>
  Deno.readFileSync(new URL(`../golden/${file}`, import.meta.url));

type Edit = readonly [
  kind: "flip" | "set" | "cut" | "drop" | "repeat",
  place: number,
  value: number,
];

/** Where to damage a file: anywhere, or where its structure is. */
const place = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 0.03, noNaN: true }),
  fc.double({ min: 0.97, max: 1, noNaN: true }),
);
const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.tuple(
    fc.constantFrom("flip", "flip", "flip", "set", "cut", "drop", "repeat"),
    place,
    fc.integer({ min: 0, max: 255 }),
  ),
  { minLength: 1, maxLength: 4 },
);

function damaged(whole: Uint8Array<ArrayBuffer>, list: readonly Edit[]): Uint8Array {
  let bytes = whole.slice();
  for (const [kind, at, value] of list) {
    const i = Math.min(Math.floor(at * bytes.length), bytes.length - 1);
    if (i < 0) break;
    if (kind === "flip") bytes[i]! ^= 1 << (value % 8);
    else if (kind === "set") bytes[i] = value;
    else if (kind === "cut") bytes = bytes.slice(0, i);
    else if (kind === "drop") bytes = joinBytes([bytes.subarray(0, i), bytes.subarray(i + value)]);
    else bytes = joinBytes([bytes.subarray(0, i), bytes.subarray(Math.max(i - value, 0))]);
  }
  return bytes;
}

for (
  const [file, runs] of [
    ["torch2.pt", 5000],
    ["torch2_legacy.pt", 5000],
    ["rosinality.pt", 200],
    ["rosinality_legacy.pt", 400],
    ["ada.pkl", 200],
    ["ada_protocol3.pkl", 200],
    ["mobilestylegan.ckpt", 200],
  ] as const
) {
  Deno.test(`readTorch() survives ${file} with damage`, () => {
    const whole = goldenBytes(file);
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(edits, (list) => {
        seen[survive(damaged(whole, list), { tensors: 50 })]++;
      }),
      settings(runs),
    );
    assert.ok(seen.refused > 0, JSON.stringify(seen));
  });
}

Deno.test("readTorch() survives random bytes behind every magic number", () => {
  const starts = [
    raw("PK\x03\x04"),
    raw("\x80\x02"),
    raw("\x80\x04\x95"),
    pickleOf("\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"),
    new Uint8Array(0),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), (start, rest) => {
      survive(joinBytes([start, rest]));
    }),
    settings(5000),
  );
});

const storage = `(X\x07\0\0\0storage${
  global("torch", "FloatStorage")
}X\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ`;
const names = [
  ["torch._utils", "_rebuild_tensor_v2"],
  ["torch._utils", "_rebuild_tensor_v3"],
  ["torch._utils", "_rebuild_parameter"],
  ["torch._tensor", "_rebuild_from_type_v2"],
  ["torch.storage", "_load_from_bytes"],
  ["torch", "Size"],
  ["torch", "float16"],
  ["collections", "OrderedDict"],
  ["collections", "defaultdict"],
  ["builtins", "list"],
  ["builtins", "set"],
  ["_codecs", "encode"],
  ["copyreg", "_reconstructor"],
  ["torch_utils.persistence", "_reconstruct_persistent_obj"],
  ["numpy.core.multiarray", "_reconstruct"],
  ["numpy", "dtype"],
  ["some.module", "Class"],
  ["os", "system"],
] as const;

/** Opcodes with arguments that fit: longer programs run than random bytes would. */
const opcode = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(..."()]}tluesadR\x81b0\x85\x86\x87\x8f\x90\x91\x94N\x88Q2"),
  },
  { weight: 3, arbitrary: fc.constantFrom("q\x00", "q\x01", "h\x00", "h\x01", "j\0\0\0\0") },
  { weight: 3, arbitrary: fc.nat(255).map((n) => `K${String.fromCharCode(n)}`) },
  {
    weight: 1,
    arbitrary: fc.integer().map((n) => `J${String.fromCharCode(...littleEndian([n >>> 0, 4]))}`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "X\x01\0\0\0a",
      "X\x05\0\0\0state",
      "X\x08\0\0\0_modules",
      "X\x0b\0\0\0_parameters",
    ),
  },
  { weight: 3, arbitrary: fc.constantFrom(...names).map(([module, name]) => global(module, name)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(storage, "K\x00K\x02\x85K\x01\x85", "C\x02ab", "B\x02\0\0\0ab"),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }).map((b) => String.fromCharCode(...b)) },
);
const program = fc.array(opcode, { maxLength: 60 }).map((parts) => pickleOf(parts.join("")));

Deno.test("readTorch() survives generated pickles, in every format", () => {
  const legacyStart = joinBytes([
    pickleOf("\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"),
    pickleOf("M\xe9\x03"),
    pickleOf("}"),
  ]);
  const legacyEnd = joinBytes([
    pickleOf("]X\x01\0\0\x000a"),
    littleEndian([4, 8]),
    new Uint8Array(16),
  ]);
  const wrap = {
    plain: (pickle: Uint8Array) => pickle,
    zip: (pickle: Uint8Array) =>
      writeZip([
        { name: "a/data.pkl", bytes: pickle },
        { name: "a/data/0", bytes: new Uint8Array(16) },
      ]),
    legacy: (pickle: Uint8Array) => joinBytes([legacyStart, pickle, legacyEnd]),
  };
  const seen = { read: 0, refused: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(wrap)), program, (format, pickle) => {
      seen[survive(format(pickle))]++;
    }),
    settings(12000),
  );
  assert.ok(seen.read > 20 && seen.refused > 20, JSON.stringify(seen));
});

const size = fc.oneof(fc.nat(100), fc.constantFrom(0, 2 ** 31 - 1, 2 ** 32 - 1));
const member: fc.Arbitrary<Partial<Member>> = fc.record({
  name: fc.oneof(
    fc.constantFrom(
      "archive/data.pkl",
      "archive/data/0",
      "../x",
      "/x",
      "archive/",
      "archive/byteorder",
    ),
    fc.string({ maxLength: 10 }),
  ),
  localName: fc.string({ maxLength: 5 }),
  bytes: fc.uint8Array({ maxLength: 40 }),
  deflate: fc.boolean(),
  size,
  crc: size,
  method: fc.constantFrom(0, 8, 12, 99),
  flags: fc.constantFrom(0, 1, 8, 0x800),
  header: size,
  wide: fc.boolean(),
}, { requiredKeys: [] });

Deno.test("readZip() survives archives with one or two lies", () => {
  const honest = torchMembers({ a: { shape: [3], data: Float32Array.of(1, 2, 3) } });
  const end = fc.record({ count: fc.nat(9), size, zip64: fc.boolean() }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.nat(honest.length - 1), member, end, (which, lie, end) => {
      const key = Object.keys(lie)[which % Math.max(Object.keys(lie).length, 1)];
      const lies = key === undefined ? {} : { [key]: lie[key as keyof Member] };
      const members = honest.map((member, i) => i === which ? { ...member, ...lies } : member);
      const archive = writeZip(members, end);
      survive(archive);
      try {
        readZip(bytesAccess(archive)).forEach((found) => found.open());
      } catch (error) {
        assert.ok(error instanceof SyntaxError, `${error}`);
      }
    }),
    settings(5000),
  );
});
