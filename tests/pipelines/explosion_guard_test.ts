import assert from "node:assert/strict";
import { explosionGuard } from "../../pipelines/explosion_guard.ts";

const REMEDY =
  'the checkpoints in "runs/a" stand: go on with a lower "optimiser.learningRate" or a smaller "optimiser.clipNorm" in a new --out';

Deno.test("explosionGuard() stops a loss that is no number any more", () => {
  const guard = explosionGuard("runs/a");
  guard({ pixel: 2 }, 0);
  assert.ok(guard.healthy);
  assert.throws(() => guard({ pixel: NaN }, 1), {
    message:
      `Cannot go on with the distillation: expected "pixel" to stay near 2.00 but received NaN at step 1; ${REMEDY}`,
  });
  assert.ok(!guard.healthy);
});

Deno.test("explosionGuard() stops a loss a thousand times what it was, but not at the start", () => {
  const guard = explosionGuard("runs/a");
  guard({ pixel: 1 }, 99);
  guard({ pixel: 900 }, 101);
  const usual = 0.98 + 0.02 * 900;
  guard({ pixel: 999 * usual }, 100);
  const fresh = explosionGuard("runs/a");
  fresh({ pixel: 1 }, 0);
  assert.throws(() => fresh({ pixel: 1001 }, 101), {
    message:
      `Cannot go on with the distillation: expected "pixel" to stay near 1.00 but received 1001 at step 101; ${REMEDY}`,
  });
});
