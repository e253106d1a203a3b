import type { Detail } from "./detail.ts";
import type { ExitImages } from "./early_exits.ts";
import type { Pairs } from "./pairs.ts";

/** What the stages of an evaluation leave for the pictures of its report. */
export interface Findings {
  pairs?: Pairs;
  /** PSNR of every pair in dB. */
  psnr?: readonly number[];
  detail?: Detail;
  exits?: ExitImages;
  /** What a reader must know of the numbers. */
  readonly notes: string[];
}
