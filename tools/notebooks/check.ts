/**
 * `deno task notebooks:check`: format and types of the notebooks' cells.
 *
 * @module
 */
import { checkNotebooks } from "./check_notebook.ts";
import { findNotebooks } from "./find_notebooks.ts";

const paths = await findNotebooks(Deno.args);
const format = await new Deno.Command(Deno.execPath(), {
  args: ["fmt", "--check", ...paths],
  stdout: "inherit",
  stderr: "inherit",
}).output();
const faults = await checkNotebooks(paths);
if (faults) console.error(faults);
console.log(`Checked ${paths.length} notebooks${faults ? ": faults above" : ""}`);
Deno.exit(format.success && !faults ? 0 : 1);
