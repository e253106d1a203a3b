import type { Context, Options } from "./command.ts";
import { createProgress, type RunEvent } from "./progress.ts";

/** Options of every command that shows a run. */
export const RUN_OPTIONS = {
  json: { type: "flag", help: "print every event as a line of JSON" },
  quiet: { type: "flag", help: "show no progress" },
} as const satisfies Options;

/** An event of a pipeline, as far as the command line reads it. */
export interface PipelineEvent extends RunEvent {
  /** Of a checkpoint: where it lies. */
  readonly path?: string;
}

/** What the command line says at the moments of a run. */
export interface RunTexts<Event> {
  /** Lines for an event, above the bar. */
  note?(event: Event): string | undefined;
  /** Lines of the result, after the last event. */
  end(event: Event): readonly string[];
}

/**
 * Runs a pipeline to its end and shows its events; a Ctrl-C has made it write a checkpoint, and the
 * last line says how to go on.
 */
export async function runPipeline<Event extends PipelineEvent>(
  events: AsyncIterable<Event>,
  values: { readonly json: boolean; readonly quiet: boolean },
  { terminal, signal, typed }: Context,
  texts: RunTexts<Event>,
): Promise<void> {
  const progress = createProgress(terminal, values);
  let checkpoint: Event | undefined;
  let end: Event | undefined;
  const interrupted = () =>
    progress.note("Stopping after this step to write a checkpoint; Ctrl-C again stops at once");
  signal.addEventListener("abort", interrupted);
  try {
    for await (const event of events) {
      if (event.kind === "checkpoint") checkpoint = event;
      if (event.kind === "end") end = event;
      progress.show(event);
      const note = texts.note?.(event);
      if (note) progress.note(note);
    }
  } catch (error) {
    if (!signal.aborted || !(error instanceof Error) || error.name !== "AbortError") throw error;
  } finally {
    signal.removeEventListener("abort", interrupted);
    progress.stop();
  }
  if (signal.aborted) {
    terminal.warn(
      checkpoint
        ? `Stopped at step ${checkpoint.step ?? 0}, checkpoint ${checkpoint.path ?? "written"}; ` +
          `the same command goes on from there: ${typed}`
        : `Stopped before the first checkpoint; the same command starts again: ${typed}`,
    );
  } else if (end && !values.json) {
    for (const line of texts.end(end)) terminal.print(line);
  }
}
