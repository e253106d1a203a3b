/// <reference lib="deno.unstable" />
import assert from "node:assert/strict";
import plugin from "../../tools/lint_plugin.ts";

const ROOT = new URL("../../", import.meta.url);

function faults(ruleName: string, path: string, source: string): string[] {
  const only = { name: "haarlem", rules: { [ruleName]: plugin.rules[ruleName]! } };
  return Deno.lint.runPlugin(only, new URL(path, ROOT).pathname, source)
    .map(({ message }) => message);
}

type Case = readonly [path: string, source: string, message?: string];

/** Without a message: good code. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  "no-tensor-methods": [
    ["layers/x.ts", "x.square();", "Cannot call .square() here: expected tf.square(x, ...)"],
    ["losses/x.ts", "f(x).mean();", "Cannot call .mean() here: expected tf.mean(x, ...)"],
    ["layers/x.ts", "tf.square(x); Math.sqrt(2); [1].map(String); set.add(1);"],
    ["metrics/x.ts", "matrix.transpose();"],
  ],
  "no-data-reading": [
    [
      "losses/x.ts",
      "x.dataSync();",
      "Cannot call .dataSync() here: expected tensor operations only, since the function is traced",
    ],
    ["layers/x.ts", "weights.data[0]; tf.data();"],
    ["networks/x.ts", "x.dataSync();"],
  ],
  "no-blocked-op": [
    [
      "layers/x.ts",
      "tf.relu(x);",
      "Cannot use tf.relu here: expected leakyRelu(x, 0) of layers/activation.ts, which has derivatives of any order",
    ],
    [
      "plugins/acme/x.ts",
      "tf.image.resizeBilinear(x, [2, 2]);",
      "Cannot use tf.image here: expected resample() of layers/resample.ts, which has derivatives of any order",
    ],
    ["layers/x.ts", "leakyRelu(x); tf.conv2d(x, k, 1, 0);"],
    ["layers/activation.ts", "tf.leakyRelu(x, 0.2);"],
    ["engine/x.ts", "tf.relu(x);"],
  ],
  "error-grammar": [
    [
      "io/x.ts",
      'new Error("File not found");',
      'Cannot word an error so: expected "Cannot <verb> <what>: ..."',
    ],
    [
      "io/x.ts",
      "new RangeError(`No file ${name}`);",
      'Cannot word an error so: expected "Cannot <verb> <what>: ..."',
    ],
    [
      "io/x.ts",
      'new TypeError("Cannot read the file.");',
      "Cannot word an error so: expected no full stop at the end",
    ],
    [
      "io/x.ts",
      "new UsageError(`Cannot read ${path}` + `: expected text. Try again`);",
      "Cannot word an error so: expected one sentence",
    ],
    ["io/x.ts", "new Error(`Cannot read ${path}: expected a file such as 1.5 but received ${x}`);"],
    ["io/x.ts", "new Error(message); new Error(`${what} to fill it`); new Date('x.');"],
    ["engine/kernels/x.ts", 'new RangeError("expected equal shapes but received others");'],
    ["tests/x_test.ts", 'new Error("boom.");'],
  ],
  "file-name": [
    [
      "layers/Haar.ts",
      "",
      'Cannot name a file "Haar": expected snake_case that says what it is',
    ],
    ["io/utils.ts", "", 'Cannot name a file "utils": expected snake_case that says what it is'],
    ["layers/mod.ts", ""],
    ["tests/io/torch_test.ts", ""],
  ],
  "no-default-export": [
    ["core/x.ts", "export default 1;", "Cannot export a default here: expected a name"],
    ["plugins/acme/mod.ts", "export default 1;"],
    ["tools/lint_plugin.ts", "export default 1;"],
  ],
  "no-exported-arrow": [
    [
      "core/x.ts",
      "export const f = () => 1;",
      "Cannot export an arrow function: expected export function",
    ],
    ["core/x.ts", "const f = () => 1; export function g() {} export const h = make(() => 1);"],
  ],
};

for (const [ruleName, cases] of Object.entries(CASES)) {
  Deno.test(`lint rule ${ruleName} finds faults and lets good code pass`, () => {
    for (const [path, source, message] of cases) {
      assert.deepEqual(faults(ruleName, path, source), message ? [message] : [], source);
    }
  });
}

Deno.test("lint_plugin tests every rule", () => {
  assert.deepEqual(Object.keys(CASES), Object.keys(plugin.rules));
});
