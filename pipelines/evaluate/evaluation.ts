import type { EvaluateConfig } from "../evaluate_config.ts";
import type { Measurement } from "./measurement.ts";

/** A generator of an evaluation, as its record names it. */
export interface EvaluatedNetwork {
  /** What it is. */
  readonly kind: "student" | "teacher";
  /** Absent if it was given as a value. */
  readonly file?: string;
  /** CRC-32 of its weights. */
  readonly checksum: string;
  /** Its shape, and a student's parts. */
  readonly config: unknown;
}

/** Everything that an evaluation found: the content of `evaluation.json`. */
export interface Evaluation {
  /** The configuration, with its defaults. */
  readonly config: EvaluateConfig;
  /** Engine, device and versions. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** The student first. */
  readonly networks: readonly EvaluatedNetwork[];
  /** The real images, if there were any. */
  readonly real?: { readonly name: string; readonly images: number };
  /** The features that were used, by the label that measurements carry. */
  readonly features: readonly { readonly label: string; readonly description: string }[];
  /** All numbers, in the order in which they were measured. */
  readonly measurements: readonly Measurement[];
  /** What a reader must know of the numbers. */
  readonly notes: readonly string[];
}

/** What {@linkcode evaluate} reports while it runs. */
export type EvaluationEvent =
  | {
    readonly kind: "start";
    /** Folder of the report. */
    readonly run: string;
    readonly step: 0;
    /** Units of work, most of them images. */
    readonly steps: number;
    readonly notes: readonly string[];
  }
  | {
    readonly kind: "step";
    /** What is being measured. */
    readonly stage: string;
    readonly step: number;
    readonly steps: number;
    readonly imagesPerSecond: number;
    readonly etaSeconds: number;
  }
  | { readonly kind: "measurement"; readonly measurement: Measurement }
  | {
    readonly kind: "end";
    /** `report.html` */
    readonly path: string;
    /** `report.md` */
    readonly markdown: string;
    readonly evaluation: Evaluation;
  };
