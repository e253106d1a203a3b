import assert from "node:assert/strict";
import { assign } from "../../cli/assignments.ts";

const config = {
  steps: 10,
  student: { upscale: { name: "idwt" }, auxiliary: true },
  losses: [{ name: "pixel", weight: 1 }],
};

Deno.test("assign() reads JSON and takes anything else for text", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["steps=20", 20],
    ["steps=1e3", 1000],
    ["steps=null", null],
    ["steps=[1,2]", [1, 2]],
    ['steps="7"', "7"],
    ["steps=avatars-64", "avatars-64"],
    ["steps=a=b", "a=b"],
    ["steps=", ""],
  ];
  for (const [assignment, value] of cases) {
    assert.deepEqual(assign(config, [assignment]), { ...config, steps: value });
  }
});

Deno.test("assign() follows paths, appends to lists and leaves the config alone", () => {
  const before = structuredClone(config);
  const changed = assign(config, [
    "student.upscale.name=bilinear",
    "student.upscale.options.gain=2",
    "losses.0.weight=0.5",
    'losses.1={"name":"wavelet"}',
  ]);
  assert.deepEqual(changed, {
    steps: 10,
    student: { upscale: { name: "bilinear", options: { gain: 2 } }, auxiliary: true },
    losses: [{ name: "pixel", weight: 0.5 }, { name: "wavelet" }],
  });
  assert.deepEqual(config, before);
});

Deno.test("assign() knows the keys that a config leaves out by its full form", () => {
  const full = { steps: 10, batch: 16, optimiser: { learningRate: 5e-4, decay: "constant" } };
  assert.deepEqual(assign({ steps: 10 }, ["optimiser.decay=cosine", "batch=8"], full), {
    steps: 10,
    batch: 8,
    optimiser: { learningRate: 5e-4, decay: "cosine" },
  });
  assert.throws(() => assign({ steps: 10 }, ["optimiser.learningrate=1"], full), {
    name: "UsageError",
    message:
      'Cannot set "optimiser.learningrate": expected a known key but received "learningrate"; did you mean "learningRate"?',
  });
  assert.deepEqual(assign({ steps: 1 }, ["name=x"], full), {
    steps: 1,
    name: "x", // near to nothing known: the validation decides
  });
});

Deno.test("assign() says where a path leads nowhere", () => {
  const cases: Readonly<Record<string, string>> = {
    "steps": 'Cannot read --set: expected "path=value" but received "steps"',
    "=5": 'Cannot read --set: expected "path=value" but received "=5"',
    "steps.x=1": 'Cannot set "steps.x": expected an object before "x" but received 10',
    "losses.2.weight=1":
      'Cannot set "losses.2.weight": expected an index from 0 to 1 but received "2"',
    "losses.first=1":
      'Cannot set "losses.first": expected an index from 0 to 1 but received "first"',
    "studnet.auxiliary=false":
      'Cannot set "studnet.auxiliary": expected a known key but received "studnet"; did you mean "student"?',
  };
  for (const [assignment, message] of Object.entries(cases)) {
    assert.throws(() => assign(config, [assignment]), { name: "UsageError", message });
  }
});
