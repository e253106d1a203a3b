/**
 * What a conversion takes and gives.
 *
 * @module
 */
import type { HostArray, Weights } from "../../core/contracts.ts";
import type { Engine } from "../../engine/mod.ts";
import type { DiscriminatorConfig, StudentConfig, TeacherConfig } from "../../networks/config.ts";

/** What can be converted. */
export type ConvertKind = "teacher" | "student" | "vgg16" | "inception";

/** Options of `convert`. */
export interface ConvertOptions {
  /**
   * Which network to take from a file that holds several. Default: the first of `student`, `teacher`,
   * `vgg16`, `inception` that is there.
   */
  readonly kind?: ConvertKind;
  /** Whether to take the discriminator beside a generator. Default: true. */
  readonly discriminator?: boolean;
  /** Computes the average style where a file has none. Default: an engine of its own. */
  readonly engine?: Engine;
  /** Seed of the latents of that average. Default: 0. */
  readonly seed?: number;
}

/** What was found in a file and what was done with it, in sentences for a user. */
export interface ConvertReport {
  /** Name of the code that wrote the file. */
  readonly source:
    | "haarlem"
    | "rosinality"
    | "nvlabs"
    | "mobilestylegan"
    | "torchvision"
    | "pytorch-fid";
  /** How the file is written. */
  readonly format: "zip" | "legacy" | "pickle" | "safetensors";
  /** Lines on the networks that were taken: what and where, sizes, what differs from ours. */
  readonly found: readonly string[];
  /** Where the average style comes from; null where there is none. */
  readonly wMean: "file" | "estimated" | null;
  /** What else the file holds: names of its parts with their numbers of tensors. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** What every conversion gives. */
export interface ConvertedBase {
  /** In our names and layouts: `mapping.0.weight`, `synthesis.4.const`, `discriminator.4.fc.bias`. */
  readonly weights: Weights;
  /** Texts of a file that this project wrote, such as licence and training; of others none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What was found and done. */
  readonly report: ConvertReport;
}
/** What the conversion of a generator gives. */
export interface ConvertedGenerator extends ConvertedBase {
  /** The discriminator's configuration where the file has one, its weights below `discriminator.`. */
  readonly discriminator: DiscriminatorConfig | null;
  /** The file's fixed noise maps `[1,r,r,1]` in the order of the layers; empty where it has none. */
  readonly noise: readonly HostArray[];
}
/** A StyleGAN2 generator. */
export interface ConvertedTeacher extends ConvertedGenerator {
  /** Tells it from the others. */
  readonly kind: "teacher";
  /** Its sizes. */
  readonly config: TeacherConfig;
}
/** A MobileStyleGAN generator. */
export interface ConvertedStudent extends ConvertedGenerator {
  /** Tells it from the others. */
  readonly kind: "student";
  /** Its sizes and parts. */
  readonly config: StudentConfig;
}
/** A frozen network that looks at images: `features.0.weight`, ... or `Conv2d_1a_3x3.weight`, ... */
export interface ConvertedFeatures extends ConvertedBase {
  /** Which network it is. */
  readonly kind: "vgg16" | "inception";
}
/** What `convert` gives. */
export type Converted = ConvertedTeacher | ConvertedStudent | ConvertedFeatures;
