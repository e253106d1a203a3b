import { writeFileAtomic } from "../io/atomic_write.ts";
import type { Theme } from "../io/chart.ts";
import { findKernel, type Kernel } from "./kernel.ts";

/** Where things are shown: in a cell, or as files and lines; tests give their own. */
export interface Surroundings {
  /** Absent: not a notebook. */
  readonly kernel: Kernel | undefined;
  /** Of plots in a notebook. */
  readonly theme: Theme;
  /** Where files are written that have no place of their own. */
  readonly folder: string;
  /** Writes a line where there is no notebook. */
  print(line: string): void;
  /** Writes a file and makes its folder. */
  write(path: string, content: Uint8Array | string): Promise<void>;
  /** Milliseconds that only grow. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Where files go that nobody named: relative to the notebook, or to where the program started. */
export const FOLDER = "runs/show";

/** The surroundings of this process. */
export function ownSurroundings(
  { theme = "light", folder = FOLDER }: { readonly theme?: Theme; readonly folder?: string } = {},
): Surroundings {
  return {
    kernel: findKernel(),
    theme,
    folder,
    print: (line) => console.log(line),
    write: (path, content) =>
      writeFileAtomic(path, [
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      ]),
    now: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}
