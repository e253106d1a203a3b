/**
 * Trained networks as values: a configuration and its weights, enough to save, load and run.
 *
 * @module
 */
import type { PartSource, Weights } from "../core/contracts.ts";
import { prefixed } from "../core/params.ts";
import {
  checkTeacherConfig,
  type DiscriminatorConfig,
  type StudentConfig,
  type TeacherConfig,
} from "./config.ts";
import { initMapping } from "./mapping.ts";
import { initMobileSynthesis } from "./mobile_synthesis.ts";
import { initSynthesis } from "./synthesis.ts";

/** A discriminator. */
export interface Discriminator {
  /** Its sizes. */
  readonly config: DiscriminatorConfig;
  /** Names without a prefix: `64.rgb.weight`, ... */
  readonly weights: Weights;
}

/** A StyleGAN2 generator. */
export interface Teacher {
  /** Tells it from a student. */
  readonly kind: "teacher";
  /** Its sizes. */
  readonly config: TeacherConfig;
  /** `mapping.*` (with the mean style `mapping.w_mean`) and `synthesis.*`. */
  readonly weights: Weights;
  /** The one it was trained with, where that is known. */
  readonly discriminator?: Discriminator | undefined;
}

/** A MobileStyleGAN generator: the teacher's mapping network and a student of exchangeable parts. */
export interface Student {
  /** Tells it from a teacher. */
  readonly kind: "student";
  /** Its sizes and parts. */
  readonly config: StudentConfig;
  /** `mapping.*` as the teacher has it, and `synthesis.*`. */
  readonly weights: Weights;
  /** Where the configuration's parts are looked up. */
  readonly parts: PartSource;
}

/** Whatever makes images of styles. */
export type Generator = Teacher | Student;

/**
 * Makes a teacher with random weights.
 *
 * @throws {RangeError} If the configuration is not valid.
 *
 * @example
 * ```ts
 * import { createTeacher } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const config = { sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 4] };
 * assert.deepEqual(createTeacher(config).weights["synthesis.4.const"]?.shape, [1, 4, 4, 8]);
 * ```
 */
export function createTeacher(
  config: TeacherConfig,
  { seed = 0 }: {
    readonly seed?: number;
    /** As for `createStudent`; a teacher has no parts that could be exchanged. */
    readonly registry?: PartSource;
  } = {},
): Teacher {
  checkTeacherConfig(config);
  return {
    kind: "teacher",
    config,
    weights: {
      ...prefixed(initMapping(config, seed), "mapping"),
      ...prefixed(initSynthesis(config, seed), "synthesis"),
    },
  };
}

/** The parts of a student; what is absent is the paper's. */
export type StudentParts = Partial<
  Pick<
    StudentConfig,
    "upscale" | "conv" | "demodulation" | "head" | "auxiliary" | "domain" | "channels"
  >
>;

/** The paper's student with the coefficients of the demodulation trained. */
export const paperParts = {
  upscale: { name: "idwt" },
  conv: { name: "separable_modulated" },
  demodulation: { name: "trainable" },
  head: { name: "single" },
  auxiliary: true,
} as const satisfies Omit<Required<StudentParts>, "channels" | "domain">;

/**
 * The configuration of a student for a teacher: its sizes, its channels but the last, which only a
 * student in the pixel domain has.
 */
export function studentConfig(teacher: TeacherConfig, parts: StudentParts = {}): StudentConfig {
  const { sizePx, styleDim, mappingLayers, channels } = teacher;
  return {
    sizePx,
    styleDim,
    mappingLayers,
    channels: parts.domain === "pixel" ? channels : channels.slice(0, -1),
    ...paperParts,
    ...parts,
  };
}

/**
 * A generator that must be a teacher.
 *
 * @throws {TypeError} If it is a student.
 */
export function expectTeacher(generator: Generator, name = "the generator"): Teacher {
  if (generator.kind === "teacher") return generator;
  throw new TypeError(
    `Cannot use ${name} as the teacher: expected a StyleGAN2 generator but received a student`,
  );
}

/**
 * Makes an untrained student of a teacher; the mapping network is the teacher's.
 *
 * @param parts What differs from the paper's student with trainable demodulation.
 * @throws {TypeError} If the teacher is itself a student.
 * @throws {RangeError} If a part's name or its options are not valid.
 *
 * @example
 * ```ts
 * import { createRegistry, createStudent, createTeacher } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const teacher = createTeacher({ sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 4] });
 * const parts = { head: { name: "skip" } };
 * const student = createStudent(teacher, parts, { registry: createRegistry() });
 * assert.deepEqual(student.config.channels, [8, 8]);
 * ```
 */
export function createStudent(
  generator: Generator,
  parts: StudentParts,
  { registry, seed = 0 }: { readonly registry: PartSource; readonly seed?: number },
): Student {
  const teacher = expectTeacher(generator);
  const config = studentConfig(teacher.config, parts);
  return {
    kind: "student",
    config,
    weights: {
      ...mappingOf(teacher),
      ...prefixed(initMobileSynthesis(config, seed, registry), "synthesis"),
    },
    parts: registry,
  };
}

function mappingOf({ weights }: Teacher): Weights {
  return Object.fromEntries(
    Object.entries(weights).filter(([name]) => name.startsWith("mapping.")),
  );
}

/**
 * A student as it learns from a teacher: with that teacher's mapping network, whatever it came with.
 *
 * @throws {RangeError} If it has other images or styles than the teacher.
 */
export function withMappingOf(teacher: Teacher, student: Student): Student {
  for (const field of ["sizePx", "styleDim"] as const) {
    const [expected, received] = [teacher.config[field], student.config[field]];
    if (received === expected) continue;
    throw new RangeError(
      `Cannot distil into this student: expected "${field}" ${expected}, as its teacher has, but received ${received}`,
    );
  }
  const own = Object.entries(student.weights).filter(([name]) => !name.startsWith("mapping."));
  return {
    ...student,
    config: { ...student.config, mappingLayers: teacher.config.mappingLayers },
    weights: { ...mappingOf(teacher), ...Object.fromEntries(own) },
  };
}
