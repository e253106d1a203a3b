import assert from "node:assert/strict";
import { defineCommand } from "../../cli/command.ts";
import { commandHelp, overallHelp } from "../../cli/help.ts";

const work = defineCommand({
  summary: "Works",
  description: "It works a while.\nThen it rests.",
  options: {
    steps: { type: "integer", value: "N", help: "training steps", default: 5 },
    set: { type: "texts", value: "PATH=VALUE", help: `${"long ".repeat(20)}help` },
    engine: { type: "text", value: "E", help: "engine", choices: ["onnx", "tfjs"] },
    weights: { type: "text", value: "FILE", help: "weights", required: true },
  },
  examples: { "deno task work --steps 1": "one step" },
  run: async () => {},
});

Deno.test("commandHelp() says usage, options and examples", () => {
  assert.equal(
    commandHelp("work", work),
    `Works

Usage: deno task work [options]

It works a while.
Then it rests.

Options:
  --steps N             training steps (default 5)
  --set PATH=VALUE ...  long long long long long long long long long long long long long long long
                        long long long long long help
  --engine E            engine (one of onnx, tfjs)
  --weights FILE        weights (required)
  --help                show this help
  --verbose             show where an error comes from, and what a GPU leaves to the CPU

Examples:
  # one step
  deno task work --steps 1`,
  );
});

Deno.test("overallHelp() lists the commands", () => {
  assert.equal(
    overallHelp({ work }),
    `Haarlem distils a StyleGAN2 teacher into a MobileStyleGAN student.

Usage: deno task <command> [options]

Commands:
  work  Works

"deno task <command> --help" lists the options of a command.`,
  );
});
