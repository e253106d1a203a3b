import { dirname } from "node:path";
import { startKernel } from "./kernel_client.ts";
import {
  codeCells,
  createOutputs,
  joined,
  kindsOf,
  type NotebookFile,
  type Output,
  readNotebook,
} from "./notebook_file.ts";

/** How a notebook is run. */
export interface RunNotebookOptions {
  /** Longest time of a cell. */
  readonly cellSeconds: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What came of it. */
export interface NotebookRun {
  readonly path: string;
  /** The notebook with its new outputs. */
  readonly notebook: NotebookFile;
  /** One sentence each; none: all is well. */
  readonly faults: readonly string[];
  readonly seconds: number;
  readonly longestCell: { readonly number: number; readonly seconds: number };
}

function errorLines(outputs: readonly Output[]): string[] {
  return outputs.filter((output) => output.output_type === "error")
    .map(({ ename, evalue }) => `${ename}: ${evalue}`);
}

/** What is wrong with the outputs of a cell that ran to its end. */
export function outputFaults(
  source: string,
  outputs: readonly Output[],
  committed: readonly Output[] | undefined,
): string[] {
  const faults = outputs
    .filter((output) => output.output_type === "stream" && output.name === "stderr")
    .map(({ text }) => `wrote to the error stream: ${joined(text).trim()}`);
  const kinds = kindsOf(outputs);
  if (/\bshow\(/.test(source) && kinds.length === 0) faults.push("shows nothing");
  const missing = kindsOf(committed).filter((kind) => !kinds.includes(kind));
  if (missing.length > 0) {
    faults.push(`lacks ${missing.join(", ")}, which the committed notebook has`);
  }
  return faults;
}

/**
 * Runs all cells of a notebook in a fresh kernel, and compares its outputs with the committed ones
 * by kind. It stops at the first cell that fails.
 */
export async function runNotebook(
  path: string,
  { cellSeconds, env = {} }: RunNotebookOptions,
): Promise<NotebookRun> {
  const notebook = await readNotebook(path);
  const faults: string[] = [];
  const start = performance.now();
  const secondsSince = (ms: number) => (performance.now() - ms) / 1000;
  let longestCell = { number: 0, seconds: 0 };
  const kernel = await startKernel({ cwd: dirname(path), env });
  try {
    for (const { cell, number } of codeCells(notebook)) {
      const { outputs, add } = createOutputs();
      const committed = cell.outputs;
      const source = joined(cell.source);
      cell.outputs = outputs;
      const cellStart = performance.now();
      const title = `cell ${number} ("${source.trim().split("\n")[0]}")`;
      try {
        const reply = await kernel.execute(source, { seconds: cellSeconds, onMessage: add });
        cell.execution_count = reply.executionCount;
        if (reply.status !== "ok") {
          faults.push(`${title} failed: ${errorLines(outputs).join("; ") || reply.status}`);
          break;
        }
      } catch (error) {
        faults.push(`${title}: ${(error as Error).message}`);
        break;
      } finally {
        const seconds = secondsSince(cellStart);
        if (seconds > longestCell.seconds) longestCell = { number, seconds };
      }
      faults.push(
        ...outputFaults(source, outputs, committed).map((fault) => `${title} ${fault}`),
      );
    }
  } finally {
    await kernel.shutdown();
  }
  return { path, notebook, faults, seconds: secondsSince(start), longestCell };
}
