/**
 * What pipelines report while they run: command line, notebooks and tests are readers of these.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";

/** The run begins, or goes on. */
export interface StartEvent {
  /** Tells events apart. */
  readonly kind: "start";
  /** Folder of the run. */
  readonly run: string;
  /** Steps already done, when a run is resumed. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Sentences worth reading: what was chosen, what was skipped. */
  readonly notes: readonly string[];
}

/** A step was made. */
export interface StepEvent {
  /** Tells events apart. */
  readonly kind: "step";
  /** Steps done. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Images seen so far, in thousands. */
  readonly kimg: number;
  /** Unweighted terms of the objective by name, and what else was measured. */
  readonly losses: Readonly<Record<string, number>>;
  /** Over the last seconds. */
  readonly imagesPerSecond: number;
  /** Until the end, at that speed. */
  readonly etaSeconds: number;
}

/** A grid of images of fixed seeds. */
export interface SampleEvent {
  /** Tells events apart. */
  readonly kind: "sample";
  /** Steps done. */
  readonly step: number;
  /** Images seen so far, in thousands. */
  readonly kimg: number;
  /** `[N,S,S,3]` in [-1, 1], row by row. */
  readonly images: HostArray;
  /** Images per row of the grid. */
  readonly columns: number;
  /** One text per row of the grid. */
  readonly labels?: readonly string[];
  /** Where the picture was written. */
  readonly path: string;
  /** Measures on latents that training never draws, in their units: `psnrDb`, `meanImagePsnrDb`. */
  readonly measures: Readonly<Record<string, number>>;
}

/** A checkpoint was written. */
export interface CheckpointEvent<Network> {
  /** Tells events apart. */
  readonly kind: "checkpoint";
  /** Steps done. */
  readonly step: number;
  /** Images seen so far, in thousands. */
  readonly kimg: number;
  /** Where it was written. */
  readonly path: string;
  /** The network as it is now. */
  readonly student: Network;
}

/** The run is over: finished, or stopped with a checkpoint. */
export interface EndEvent<Network> {
  /** Tells events apart. */
  readonly kind: "end";
  /** Whether every step was made. */
  readonly finished: boolean;
  /** Steps done. */
  readonly step: number;
  /** Images seen so far, in thousands. */
  readonly kimg: number;
  /** Figures worth keeping. */
  readonly summary: Readonly<Record<string, number | string>>;
  /** Where the network was saved. */
  readonly path: string;
  /** The trained network. */
  readonly student: Network;
}

/** Every event of a training run. */
export type TrainingEvent<Network> =
  | StartEvent
  | StepEvent
  | SampleEvent
  | CheckpointEvent<Network>
  | EndEvent<Network>;
