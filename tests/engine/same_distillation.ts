/** The tiny distillation on two engines, compared weight by weight. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Engine } from "../../engine/mod.ts";
import type { Student } from "../../networks/generator.ts";
import { distill } from "../../pipelines/distill.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher } from "../pipelines/tiny.ts";

interface Trained {
  readonly losses: readonly Readonly<Record<string, number>>[];
  readonly student: Student;
}

async function train(engine: Engine, steps: number): Promise<Trained> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-same-" });
  const losses: Readonly<Record<string, number>>[] = [];
  let student: Student | undefined;
  try {
    const context = {
      engine,
      registry: createRegistry(),
      teacher: tinyTeacher(),
      out: join(folder, "run"),
    };
    for await (const event of distill({ ...tinyDistill, steps }, context)) {
      if (event.kind === "step") losses.push(event.losses);
      if (event.kind === "end") student = event.student;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { losses, student: student! };
}

interface Extent {
  readonly steps: number;
  readonly tolerance: number;
}

/** Every loss of every step, and every weight at the end, within a tolerance of its scale. */
export async function assertSameDistillation(a: Engine, b: Engine, extent: Extent): Promise<void> {
  const { ours, theirs } = await assertSameLosses(a, b, extent);
  for (const [name, { data }] of Object.entries(theirs.student.weights)) {
    const own = ours.student.weights[name]!.data;
    const scale = data.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-3);
    const worst = data.reduce((w, x, i) => Math.max(w, Math.abs(x - own[i]!)), 0) / scale;
    assert.ok(worst <= extent.tolerance, `"${name}" differs by ${worst} of its scale`);
  }
}

/** Every loss of every step. */
export async function assertSameLosses(a: Engine, b: Engine, { steps, tolerance }: Extent) {
  const [ours, theirs] = [await train(a, steps), await train(b, steps)];
  for (const [step, losses] of ours.losses.entries()) {
    for (const [name, value] of Object.entries(losses)) {
      const other = theirs.losses[step]![name]!;
      const difference = Math.abs(value - other) / Math.max(1, Math.abs(other));
      assert.ok(difference <= tolerance, `${name} of step ${step}: ${value} and ${other}`);
    }
  }
  return { ours, theirs };
}
