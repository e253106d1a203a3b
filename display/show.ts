/**
 * `show` and `setupNotebook`: what a notebook needs besides the pipelines.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Theme } from "../io/chart.ts";
import { createPresenter, type Presenter, type Showable, type ShowOptions } from "./presenter.ts";
import { FOLDER, ownSurroundings } from "./surroundings.ts";

export type { Showable, ShowOptions } from "./presenter.ts";

/** What {@linkcode setupNotebook} can be told. */
export interface SetupNotebookOptions {
  /** Background of plots: `light` (default) or `dark`. */
  readonly theme?: Theme;
  /** Where plots are kept as SVG, and where everything is written outside a notebook. */
  readonly folder?: string;
}

/** The notebook that runs, or that none does. */
export interface Notebook {
  /** Whether this code runs in a notebook. */
  readonly isNotebook: boolean;
  /**
   * A signal that the notebook's Stop aborts, for a pipeline's `signal`: it writes a checkpoint and
   * ends as if it had finished. Every call gives a new one; it is never aborted outside a notebook.
   */
  stopSignal(): AbortSignal;
}

/* One process is one notebook, and `show` has no other argument that could carry what it showed. */
let presenter: Presenter | undefined;
let isInstalled = false;

function errorText(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** Stop would end the kernel, and an error outside a cell's own code would leave the cell running. */
function installHandlers(): void {
  if (isInstalled) return;
  isInstalled = true;
  Deno.addSignalListener("SIGINT", () => presenter?.stopButton.press());
  const report = (event: Event, error: unknown) => {
    event.preventDefault();
    presenter?.surroundings.kernel?.warn(`${errorText(error)}\n`);
  };
  globalThis.addEventListener("error", (event) => report(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => report(event, event.reason));
}

/**
 * Prepares a notebook: Stop ends a run with a checkpoint and keeps the kernel, an error in a timer
 * is shown instead of hanging the cell. Outside a notebook it only sets where files go.
 *
 * `show` does the same with the defaults, so that a notebook needs this only for other ones, or for
 * `stopSignal`.
 *
 * @example Outside a notebook nothing is aborted
 * ```ts
 * import { setupNotebook } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const { isNotebook, stopSignal } = setupNotebook();
 * assert.equal(isNotebook, false);
 * assert.equal(stopSignal().aborted, false);
 * ```
 */
export function setupNotebook(
  { theme = "light", folder = FOLDER }: SetupNotebookOptions = {},
): Notebook {
  const { kernel } = ownSurroundings();
  const current = presenter = createPresenter(ownSurroundings({ theme, folder }));
  if (kernel) {
    installHandlers();
    tf.enableProdMode(); // no advice in the first cell to install other backends
  }
  return { isNotebook: kernel !== undefined, stopSignal: () => current.stopButton.signal() };
}

/**
 * Shows a value in the cell that runs; outside a notebook, writes a file and prints one line.
 *
 * - Images `[N,H,W,3]`, `[N,H,W,1]` or one `[H,W,C]` in [-1, 1], as arrays or tensors: a grid.
 * - A PNG, as bytes.
 * - A chart, what `chart` takes, or one panel of it: a PNG, and an SVG in `runs/show/`.
 * - Rows `{ column: value }`: a table.
 * - A text: Markdown.
 * - An event of `distill` or `trainTeacher`: bar, sample grid and curves of the run in place, redrawn
 *   at most twice a second and for at most 5% of the time; outside a notebook a line, for steps every
 *   two seconds. An event of `ablate`: bar, table and plots.
 *
 * @throws {TypeError} If the value is none of these.
 * @throws {DOMException} An `AbortError`, after the notebook's Stop, for an event of a run that was
 *   not given a `stopSignal`: the loop ends, and the run with it.
 *
 * @example A table
 * ```ts
 * import { setupNotebook, show } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * setupNotebook({ folder });
 * await show([{ part: "idwt", parameters: 0 }], { name: "cost" });
 * assert.match(await Deno.readTextFile(`${folder}/cost.md`), /^\| part \| parameters \|/);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function show(
  value: Showable | Promise<Showable>,
  options: ShowOptions = {},
): Promise<void> {
  if (!presenter) setupNotebook();
  await presenter!.show(value, options);
}
