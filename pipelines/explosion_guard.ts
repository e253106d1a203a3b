/**
 * Stops a training whose losses left the ground.
 *
 * @module
 */

/** Looks at the losses of every step; `healthy` is false once it has thrown. */
export interface ExplosionGuard {
  (losses: Readonly<Record<string, number>>, step: number): void;
  healthy: boolean;
}

/** Refuses losses that are not finite, or a thousand times what they were. */
export function explosionGuard(run: string): ExplosionGuard {
  const averages = new Map<string, number>();
  const guard = (losses: Readonly<Record<string, number>>, step: number) => {
    for (const [name, value] of Object.entries(losses)) {
      if (!Number.isFinite(value) && !averages.has(name)) {
        guard.healthy = false;
        throw new Error(
          `Cannot begin with the loss "${name}": expected a finite number but received ${value} at step ${step}; if a plugin has a part in it, testPlugin() tells which`,
        );
      }
      const usual = averages.get(name) ?? Math.abs(value);
      const exploded = step > 100 && Math.abs(value) > 1000 * Math.max(usual, 1e-3);
      if (!Number.isFinite(value) || exploded) {
        guard.healthy = false;
        throw new Error(
          `Cannot go on with the distillation: expected "${name}" to stay near ${
            usual.toPrecision(3)
          } but received ${value} at step ${step}; the checkpoints in "${run}" stand: go on with a lower "optimiser.learningRate" or a smaller "optimiser.clipNorm" in a new --out`,
        );
      }
      averages.set(name, 0.98 * usual + 0.02 * Math.abs(value));
    }
  };
  guard.healthy = true;
  return guard;
}
