/**
 * Generators of this project's own files, which need no other names or layouts.
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
import type { ConvertedStudent, ConvertedTeacher, ConvertOptions } from "./converted.ts";
import type { WeightTable } from "./weight_table.ts";

const isCritic = (name: string) => name.startsWith("discriminator.");

/**
 * A generator as the file has it; undefined for files of others.
 *
 * @throws {RangeError} If another kind is wanted, or the file's sizes are none.
 */
export function convertOwn(
  { name, format, tensors, metadata }: WeightTable,
  { kind: wanted, discriminator: wantsCritic = true }: ConvertOptions,
): ConvertedTeacher | ConvertedStudent | undefined {
  if (!describesGenerator(metadata)) return undefined;
  const { kind, config, discriminator, texts } = describedGenerator(name, metadata);
  if (wanted !== undefined && wanted !== kind) {
    throw new RangeError(
      `Cannot convert ${
        quote(name)
      }: expected kind "${wanted}" but received a ${kind} of this project`,
    );
  }
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
