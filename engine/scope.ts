/**
 * A part of an engine's life: a run in a notebook ends, and its engine goes on.
 *
 * @module
 */
import type { Engine } from "./engine.ts";

/**
 * The same engine, for one task: disposing the scope frees what the task compiled and leaves the
 * engine, and what others compiled on it, as they are.
 *
 * @example
 * ```ts
 * import { createEngine, engineScope, tf } from "haarlem";
 *
 * const engine = await createEngine();
 * {
 *   await using scope = engineScope(engine);
 *   scope.compile(({ x }: { x: tf.Tensor }) => tf.square(x), { name: "square" });
 * } // "square" is freed
 * await engine.dispose();
 * ```
 */
export function engineScope(engine: Engine): Engine & AsyncDisposable {
  const compiled = new Set<{ dispose(): Promise<void> }>();
  const dispose = async () => {
    for (const each of compiled) await each.dispose();
    compiled.clear();
  };
  const compile = ((...args: Parameters<Engine["compile"]>) => {
    const made = engine.compile(...args);
    compiled.add(made);
    return made;
  }) as Engine["compile"];
  return { ...engine, compile, dispose, [Symbol.asyncDispose]: dispose };
}
