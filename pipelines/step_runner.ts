/**
 * Runs training steps of several graphs, and opens the graphs of a new kind of step side by side: while
 * the library compiles one, the next is traced and opened, too.
 *
 * @module
 */
import type { Compiled, Engine, RunOptions } from "../engine/mod.ts";

/** Computes with a compiled function. */
export type Compute = <In, Out>(
  compiled: Compiled<In, Out>,
  inputs: In,
  options?: RunOptions,
) => Promise<Out>;

/** Steps with one set of due terms are of one kind; they differ in nothing but numbers. */
export type StepRunner = <T>(
  kind: string,
  step: (compute: Compute) => Promise<T>,
) => Promise<T>;

/**
 * Makes a function that runs steps. The first of a kind is taken twice, at first with zeros and without
 * computing: so a step must change nothing but by what it returns, and must not look at numbers.
 */
export function stepRunner({ name }: Pick<Engine, "name">): StepRunner {
  const opened = new Set<string>();
  const opens = name !== "tfjs"; // which runs functions as they are
  return async (kind, step) => {
    if (opens && !opened.has(kind)) {
      await openGraphs(step);
      opened.add(kind);
    }
    return await step((compiled, inputs, options) => compiled(inputs, options));
  };
}

async function openGraphs(step: (compute: Compute) => Promise<unknown>): Promise<void> {
  const graphs: Promise<void>[] = [];
  const open: Compute = (compiled, inputs) => {
    const outline = compiled.outline(inputs);
    const graph = compiled.prepare(inputs);
    graph.catch(() => {}); // for now: others may still be traced
    graphs.push(graph);
    return Promise.resolve(outline);
  };
  try {
    await step(open);
  } finally {
    await Promise.allSettled(graphs);
  }
  await Promise.all(graphs);
}
