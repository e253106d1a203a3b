import assert from "node:assert/strict";
import { defineCommand } from "../../cli/command.ts";
import { readOptions } from "../../cli/read_options.ts";

const command = defineCommand({
  summary: "Tests",
  options: {
    preset: { type: "text", value: "NAME", help: "preset", default: "quick" },
    engine: { type: "text", help: "engine", choices: ["onnx", "tfjs"] },
    steps: { type: "integer", help: "steps", minimum: 1 },
    shift: { type: "number", help: "shift" },
    seeds: { type: "seeds", help: "seeds", default: "0-3" },
    set: { type: "texts", value: "PATH=VALUE", help: "set" },
    "dry-run": { type: "flag", help: "dry" },
  },
  run: async () => {},
});
const read = (line: string) => readOptions(line.split(" ").filter(Boolean), command, "test");

Deno.test("readOptions() fills in defaults, empty lists and flags", () => {
  assert.deepEqual(read(""), {
    preset: "quick",
    engine: undefined,
    steps: undefined,
    shift: undefined,
    seeds: [0, 1, 2, 3],
    set: [],
    "dry-run": false,
    help: false,
    verbose: false,
  });
});

Deno.test("readOptions() reads every type", () => {
  const values = read(
    "--preset=a --engine tfjs --steps 12 --shift -0.5 --seeds 1,4-6,9 --set a.b=1 --set c=d=e --dry-run",
  );
  const steps: number | undefined = values.steps; // the types follow the options
  const seeds: readonly number[] = values.seeds;
  assert.deepEqual([values.preset, values.engine, steps, values.shift, seeds], [
    "a",
    "tfjs",
    12,
    -0.5,
    [1, 4, 5, 6, 9],
  ]);
  assert.deepEqual([values.set, values["dry-run"]], [["a.b=1", "c=d=e"], true]);
});

Deno.test("readOptions() keeps text text", () => {
  assert.equal(read("--preset 007").preset, "007");
});

Deno.test("readOptions() lets the last of two values win", () => {
  assert.equal(read("--steps 1 --steps 2").steps, 2);
});

Deno.test("readOptions() says what is wrong with a value", () => {
  const cases: Readonly<Record<string, string>> = {
    "--preset": "Cannot read --preset: expected NAME but received nothing",
    "--preset --steps 1": "Cannot read --preset: expected NAME but received nothing",
    "--engine onn": 'Cannot read --engine: expected one of "onnx", "tfjs" but received "onn"',
    "--steps 1.5": 'Cannot read --steps: expected an integer of at least 1 but received "1.5"',
    "--steps -1": 'Cannot read --steps: expected an integer of at least 1 but received "-1"',
    "--shift x": 'Cannot read --shift: expected a number but received "x"',
    "--seeds 3-1": 'Cannot read --seeds: expected seeds like "0-15" or "1,4,9" but received "3-1"',
    "--seeds a": 'Cannot read --seeds: expected seeds like "0-15" or "1,4,9" but received "a"',
    "--seeds 0-1000000":
      'Cannot read --seeds: expected seeds like "0-15" or "1,4,9" but received "0-1000000"',
    "--set": "Cannot read --set: expected PATH=VALUE but received nothing",
    "--dryrun": 'Cannot find option "--dryrun" of test; did you mean "--dry-run"?',
    "-q": 'Cannot find option "-q" of test; "deno task test --help" lists the known ones',
  };
  for (const [line, message] of Object.entries(cases)) {
    assert.throws(() => read(line), { name: "UsageError", message }, line);
  }
});

Deno.test("readOptions() asks for what a command cannot do without", () => {
  const needy = defineCommand({
    summary: "Needs",
    options: { weights: { type: "text", value: "FILE", help: "weights", required: true } },
    run: async () => {},
  });
  assert.throws(() => readOptions([], needy, "needy"), {
    name: "UsageError",
    message: "Cannot run needy: expected --weights FILE but received nothing",
  });
  assert.equal(readOptions(["--help"], needy, "needy").help, true);
});
