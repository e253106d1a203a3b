/**
 * Other people's weights in our names and layouts.
 *
 * @module
 */
import { messageOf, quote } from "../io/describe.ts";
import { bytesAccess, openFile, type RandomAccess } from "../io/random_access.ts";
import { checkStudentConfig, checkTeacherConfig } from "../networks/config.ts";
import type {
  Converted,
  ConvertedFeatures,
  ConvertedStudent,
  ConvertedTeacher,
  ConvertKind,
  ConvertOptions,
} from "./convert/converted.ts";
import { type ForeignNetwork, readNetwork } from "./convert/entries.ts";
import { findInception, findVgg16, mergeBatchNorms } from "./convert/feature_networks.ts";
import type { FoundGenerator } from "./convert/find.ts";
import { convertGenerator } from "./convert/generator.ts";
import { findStudent } from "./convert/mobilestylegan.ts";
import { convertOwn } from "./convert/own.ts";
import { findTeacher, refusalOf } from "./convert/recognise.ts";
import { leftOut, placeOf } from "./convert/report.ts";
import { joinTables, readWeightTable, type WeightTable } from "./convert/weight_table.ts";

export type * from "./convert/converted.ts";

/** A file to convert: its path or `file:` URL, or its bytes. */
export type ConvertSource = string | URL | Uint8Array;

function open(source: ConvertSource): RandomAccess & Partial<Disposable> {
  if (source instanceof Uint8Array) return bytesAccess(source);
  try {
    return openFile(source);
  } catch (error) {
    throw new Error(
      `Cannot convert ${quote(String(source))}: expected a file that can be opened but received ${
        quote(messageOf(error))
      }`,
      { cause: error },
    );
  }
}

async function convertTeacher(
  table: WeightTable,
  found: FoundGenerator,
  options: ConvertOptions,
): Promise<ConvertedTeacher> {
  const sizePx = 2 ** (found.sizes.channels.length + 1);
  const generator = await convertGenerator(table, found, { sizePx, options });
  const { convClamp } = found;
  const config = { sizePx, ...found.sizes, ...convClamp !== undefined && { convClamp } };
  checkTeacherConfig(config);
  return { kind: "teacher", config, ...generator };
}

/** The parts that the author's student is made of. */
const authorParts = {
  upscale: { name: "idwt" },
  conv: { name: "separable_modulated" },
  demodulation: { name: "frozen" },
  head: { name: "single" },
  auxiliary: true,
} as const;

async function convertStudent(
  table: WeightTable,
  found: FoundGenerator,
  options: ConvertOptions,
): Promise<ConvertedStudent> {
  const sizePx = 2 ** (found.sizes.channels.length + 2); // its wavelet bands double the features
  const generator = await convertGenerator(table, found, { sizePx, options });
  const config = { sizePx, ...found.sizes, ...authorParts };
  checkStudentConfig(config);
  return { kind: "student", config, ...generator };
}

function convertFeatures(
  table: WeightTable,
  network: ForeignNetwork,
  kind: "vgg16" | "inception",
): ConvertedFeatures {
  const weights = readNetwork(table, network);
  return {
    kind,
    weights: kind === "inception" ? mergeBatchNorms(weights) : weights,
    metadata: {},
    report: {
      source: kind === "inception" ? "pytorch-fid" : "torchvision",
      format: table.format,
      found: [placeOf(network)],
      wMean: null,
      leftOut: leftOut(table, [network]),
    },
  };
}

/** What each kind is, for errors. */
const kinds: Readonly<Record<ConvertKind, string>> = {
  teacher: "a StyleGAN2 generator of rosinality's, NVlabs' or MobileStyleGAN's code",
  student: "a student of MobileStyleGAN's code",
  vgg16: "torchvision's VGG16",
  inception: "pytorch-fid's Inception",
};

function unrecognised(table: WeightTable, { kind }: ConvertOptions): RangeError {
  const names = [...table.tensors.keys()];
  const received = refusalOf(table) ??
    (names.length
      ? `${names.length} tensors (${names.slice(0, 4).map(quote).join(", ")}${
        names.length > 4 ? ", ..." : ""
      })`
      : "no tensors");
  const expected = kind
    ? kinds[kind]
    : "weights of rosinality's, NVlabs' or MobileStyleGAN's code, torchvision's VGG16 or pytorch-fid's Inception";
  return new RangeError(
    `Cannot convert ${quote(table.name)}: expected ${expected} but received ${received}`,
  );
}

/** Converts the tensors of files that were opened; see {@linkcode convert}. */
export async function convertTable(
  table: WeightTable,
  options: ConvertOptions = {},
): Promise<Converted> {
  const { kind } = options;
  const own = convertOwn(table, options);
  if (own) return own;
  const wants = (candidate: ConvertKind) => kind === undefined || kind === candidate;
  const student = wants("student") ? findStudent(table) : undefined;
  if (student) return await convertStudent(table, student, options);
  if (refusalOf(table)) throw unrecognised(table, options);
  const teacher = wants("teacher") ? findTeacher(table) : undefined;
  if (teacher) return await convertTeacher(table, teacher, options);
  const vgg16 = wants("vgg16") ? findVgg16(table) : undefined;
  if (vgg16) return convertFeatures(table, vgg16, "vgg16");
  const inception = wants("inception") ? findInception(table) : undefined;
  if (inception) return convertFeatures(table, inception, "inception");
  throw unrecognised(table, options);
}

/**
 * Converts weights of other codes: StyleGAN2 of rosinality and NVlabs (stylegan2-ada-pytorch,
 * stylegan3), teacher and student of MobileStyleGAN.pytorch, torchvision's VGG16, pytorch-fid's
 * Inception. Files of PyTorch (`.pt`, `.pth`, `.pkl`, `.ckpt`) or safetensors. A file of
 * this project is taken as it is, with its texts (`metadata`) and without the plugins of its parts.
 *
 * Sizes are inferred from shapes. No code in a file is run, and only the tensors that are taken are
 * read. The author's teacher is two files, mapping and synthesis network: give both.
 *
 * - `weights`: names and layouts of this project, discriminator included (`discriminator.`).
 * - Average style: of the file, else estimated from 10,000 latents.
 *
 * @param source One file, or several that belong together
 * @throws {SyntaxError} If a file is damaged, hostile or of another format, with the byte.
 * @throws {RangeError} If its networks are unknown, or keys are missing, unknown or mis-shaped: the
 * error lists them.
 *
 * @example A teacher of rosinality's code
 * ```ts
 * import { convert } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const converted = await convert("tests/golden/rosinality.pt");
 * assert.equal(converted.kind, "teacher");
 * assert.deepEqual(converted.weights["synthesis.4.const"]?.shape, [1, 4, 4, 32]);
 * ```
 */
export async function convert(
  source: ConvertSource | readonly ConvertSource[],
  options: ConvertOptions = {},
): Promise<Converted> {
  const sources: readonly ConvertSource[] = Array.isArray(source) ? source : [source];
  using files = new DisposableStack();
  const tables = sources.map((item) => {
    const access = open(item);
    if (access[Symbol.dispose]) files.use(access as RandomAccess & Disposable);
    return readWeightTable(access);
  });
  return await convertTable(joinTables(tables), options);
}
