import { runCommandLine } from "../../cli/run_command_line.ts";
import { commands } from "../../cli.ts";
import { fakeProcess } from "./fake_process.ts";

/** Runs a command line; gives its exit code and what it wrote. */
export async function run(...args: readonly string[]) {
  const process = fakeProcess();
  const code = await runCommandLine(args, commands, process);
  return { code, out: process.out.join("\n"), err: process.err.join("\n") };
}
