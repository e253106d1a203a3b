/** What only the stand-in does: it refuses the forms that it does not read. */
import { parseArgs } from "../../../compat/std_cli/parse_args.ts";
import assert from "node:assert/strict";

const REFUSED: Readonly<Record<string, string>> = {
  "-n5": 'Cannot parse "-n5": expected a short flag like "-n 5" or "-n=5"',
  "-I/path": 'Cannot parse "-I/path": expected a short flag like "-n 5" or "-n=5"',
  "-0.5": 'Cannot parse "-0.5": expected a short flag like "-n 5" or "-n=5"',
  "--a.b": 'Cannot parse "--a.b": expected a flag without "." in its name',
  "--no-a=1": 'Cannot parse "--no-a=1": expected no value after --no-',
};

for (const [arg, message] of Object.entries(REFUSED)) {
  Deno.test(`parseArgs() of the stand-in refuses ${arg}`, () => {
    assert.throws(() => parseArgs([arg]), { name: "SyntaxError", message });
  });
}

Deno.test("parseArgs() of the stand-in asks unknown before it refuses a dotted name", () => {
  assert.deepEqual({ ...parseArgs(["--a.b"], { unknown: () => false }) }, { _: [] });
});
