/**
 * Networks of this project's own files, which need no other names or layouts.
 *
 * @module
 */
import { quote } from "../../io/describe.ts";
import {
  checkDiscriminatorConfig,
  checkStudentConfig,
  checkTeacherConfig,
} from "../../networks/config.ts";
import { describedGenerator, describesGenerator } from "../generator_file.ts";
import type {
  ConvertedFeatures,
  ConvertedStudent,
  ConvertedTeacher,
  ConvertOptions,
} from "./converted.ts";
import type { WeightTable } from "./weight_table.ts";

/** Names the kind of feature networks in a file: they bear the names that other codes gave them. */
export const FEATURES = "haarlem.features";

const isCritic = (name: string) => name.startsWith("discriminator.");

/**
 * A network as the file has it; undefined for files of others.
 *
 * @throws {RangeError} If another kind is wanted, or the file's sizes are none.
 */
export function convertOwn(
  table: WeightTable,
  options: ConvertOptions,
): ConvertedTeacher | ConvertedStudent | ConvertedFeatures | undefined {
  if (describesGenerator(table.metadata)) return convertOwnGenerator(table, options);
  const kind = table.metadata[FEATURES];
  return kind === "vgg16" || kind === "inception"
    ? convertOwnFeatures(table, kind, options)
    : undefined;
}

function expectKind(name: string, kind: string, received: string, wanted?: string): void {
  if (wanted === undefined || wanted === kind) return;
  throw new RangeError(
    `Cannot convert ${
      quote(name)
    }: expected kind "${wanted}" but received ${received} of this project`,
  );
}

function convertOwnFeatures(
  { name, format, tensors, metadata }: WeightTable,
  kind: ConvertedFeatures["kind"],
  { kind: wanted }: ConvertOptions,
): ConvertedFeatures {
  expectKind(name, kind, `features of ${kind}`, wanted);
  const { [FEATURES]: _, ...texts } = metadata;
  return {
    kind,
    weights: Object.fromEntries([...tensors].map(([key, tensor]) => [key, tensor.read()])),
    metadata: texts,
    report: {
      source: "haarlem",
      format,
      found: [`features of ${kind} of this project`],
      wMean: null,
      leftOut: {},
    },
  };
}

function convertOwnGenerator(
  { name, format, tensors, metadata }: WeightTable,
  { kind: wanted, discriminator: wantsCritic = true }: ConvertOptions,
): ConvertedTeacher | ConvertedStudent {
  const { kind, config, discriminator, texts } = describedGenerator(name, metadata);
  expectKind(name, kind, `a ${kind}`, wanted);
  if (kind === "teacher") checkTeacherConfig(config);
  else checkStudentConfig(config);
  if (discriminator) checkDiscriminatorConfig(discriminator);
  const critic = wantsCritic && discriminator || null;
  const taken = [...tensors].filter(([name]) => critic || !isCritic(name));
  const left = tensors.size - taken.length;
  return {
    kind,
    config,
    discriminator: critic,
    weights: Object.fromEntries(taken.map(([name, tensor]) => [name, tensor.read()])),
    noise: [],
    metadata: texts,
    report: {
      source: "haarlem",
      format,
      found: [
        `${kind} of this project, ${config.sizePx} px`,
        ...critic ? [`its discriminator, channels ${critic.channels.join(", ")}`] : [],
      ],
      wMean: tensors.has("mapping.w_mean") ? "file" : null,
      leftOut: left > 0 ? { discriminator: left } : {},
    },
  };
}
