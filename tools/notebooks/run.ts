/**
 * `deno task notebooks:run`: executes notebooks through Deno's kernel and says what is wrong.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { relative } from "node:path";
import { findNotebooks } from "./find_notebooks.ts";
import { writeNotebook } from "./notebook_file.ts";
import { runNotebook } from "./run_notebook.ts";

const HELP =
  `Executes notebooks through Deno's Jupyter kernel; fails on an error, a missing output or
a cell over its time.

Usage: deno task notebooks:run [FILE ...] [options]

  --write           store the outputs in the notebooks
  --full            at full length; by default HAARLEM_QUICK=1 is set
  --cell-seconds N  longest time of a cell (default 120; with --full 3600)`;

const args = parseArgs(Deno.args, {
  boolean: ["write", "full", "help"],
  string: ["cell-seconds"],
  unknown(arg, key) {
    if (key === undefined) return true;
    console.error(`Cannot read the options: expected one of --help but received "${arg}"`);
    Deno.exit(2);
  },
});
if (args.help) {
  console.log(HELP);
  Deno.exit();
}
const cellSeconds = Number(args["cell-seconds"] ?? (args.full ? 3600 : 120));
const env: Record<string, string> = args.full ? {} : { HAARLEM_QUICK: "1" };
let failed = 0;
for (const path of await findNotebooks(args._.map(String))) {
  const { notebook, faults, seconds, longestCell } = await runNotebook(path, { cellSeconds, env });
  const name = relative(Deno.cwd(), path);
  const time = `${seconds.toFixed(1)} s, cell ${longestCell.number} ${
    longestCell.seconds.toFixed(1)
  } s`;
  console.log(`${faults.length === 0 ? "ok" : "FAILED"} ${name} (${time})`);
  for (const fault of faults) console.log(`  ${fault}`);
  if (faults.length > 0) failed++;
  else if (args.write) await writeNotebook(path, notebook);
}
Deno.exit(failed > 0 ? 1 : 0);
