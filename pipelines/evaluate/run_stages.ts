import type { EvaluationEvent } from "./evaluation.ts";
import type { Stage } from "./stage.ts";
import { tracked } from "./tracked.ts";

/** Runs stages one after the other; progress counts all of their units. */
export function runStages(
  stages: readonly Stage[],
  signal: AbortSignal | undefined,
): { readonly steps: number; readonly events: AsyncGenerator<EvaluationEvent> } {
  const steps = stages.reduce((sum, { units }) => sum + units, 0);
  async function* events(): AsyncGenerator<EvaluationEvent> {
    const start = performance.now();
    let step = 0;
    for (const { name, run } of stages) {
      signal?.throwIfAborted();
      const work = tracked(run, signal);
      try {
        let next = await work.next();
        for (; !next.done; next = await work.next()) {
          step += next.value;
          const perSecond = step / Math.max(1e-3, (performance.now() - start) / 1000);
          const etaSeconds = (steps - step) / perSecond;
          yield { kind: "step", stage: name, step, steps, imagesPerSecond: perSecond, etaSeconds };
        }
        for (const measurement of next.value) yield { kind: "measurement", measurement };
      } finally {
        await work.return([]); // also when the reader breaks out of the loop
      }
    }
  }
  return { steps, events: events() };
}
