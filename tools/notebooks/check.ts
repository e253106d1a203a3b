/**
 * `deno task notebooks:check`: format, types and lint of the notebooks' cells; `--fix` formats them.
 *
 * @module
 */
import { checkNotebooks } from "./check_notebook.ts";
import { findNotebooks } from "./find_notebooks.ts";
import { formatNotebooks } from "./format_notebook.ts";

const fix = Deno.args.includes("--fix");
const paths = await findNotebooks(Deno.args.filter((arg) => arg !== "--fix"));
const unformatted = await formatNotebooks(paths, { write: fix });
for (const place of unformatted) console.error(`${fix ? "Formatted" : "Not formatted:"} ${place}`);
const faults = await checkNotebooks(paths);
if (faults) console.error(faults);
const isGood = !faults && (fix || unformatted.length === 0);
console.log(`Checked ${paths.length} notebooks${isGood ? "" : ": faults above"}`);
Deno.exit(isGood ? 0 : 1);
