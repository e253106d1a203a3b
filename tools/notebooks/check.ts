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
for (const fault of faults) console.error(fault);
console.log(`Checked ${paths.length} notebooks: ${faults.length} with wrong types`);
Deno.exit(format.success && faults.length === 0 ? 0 : 1);
