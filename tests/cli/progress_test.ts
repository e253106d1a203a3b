import assert from "node:assert/strict";
import { eventLine, progressText } from "../../cli/progress.ts";

Deno.test("progressText() says what it knows", () => {
  assert.equal(progressText({ kind: "step", step: 3 }, undefined), "3");
  assert.equal(
    progressText({
      kind: "step",
      step: 120,
      imagesPerSecond: 31.25,
      etaSeconds: 80,
      losses: { pixel: 0.01234, wavelet: 12.5 },
    }, 400),
    "120/400 | 31.3 images/s | 1 min 20 s left | pixel 0.0123 wavelet 12.5",
  );
  assert.equal(
    progressText({ kind: "step", step: 1, etaSeconds: 7384.6 }, 9),
    "1/9 | 2 h 3 min left",
  );
});

Deno.test("eventLine() keeps numbers and texts and drops tensors and functions", () => {
  const event = {
    kind: "checkpoint",
    step: 5,
    losses: { pixel: 0.5 },
    path: "runs/x",
    list: [1, 2],
    nothing: null,
    student: { weights: { "a.b": { shape: [1], data: new Float32Array(1) } } },
    grid: new Uint8Array(3),
    save() {},
  };
  assert.deepEqual(JSON.parse(eventLine(event)), {
    kind: "checkpoint",
    step: 5,
    losses: { pixel: 0.5 },
    path: "runs/x",
    list: [1, 2],
    nothing: null,
  });
});
