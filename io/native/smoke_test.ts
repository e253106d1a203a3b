import { fileURLToPath } from "node:url";
import type { DeviceName } from "../../engine/engine.ts";
import { quote } from "../describe.ts";
import { refusal } from "./refusal.ts";
import { runProgram } from "./run_program.ts";

/**
 * Computes with the addon that a folder describes, in a process of its own, as a wrong library would
 * end it; gives what that printed.
 *
 * @throws {Error} if it fails, or computes other gradients than JavaScript
 */
export async function smokeTest(
  folder: string,
  { device, signal }: {
    readonly device: DeviceName | "auto";
    readonly signal: AbortSignal | undefined;
  },
): Promise<string> {
  const script = new URL("smoke.ts", import.meta.url);
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const args = ["run", "-A", "--no-check", "--quiet", "--config", config, script.href, device];
  const run = await runProgram(Deno.execPath(), args, { signal, env: { HAARLEM_NATIVE: folder } });
  if (run?.success) return run.output;
  const text = run?.text ?? "";
  const thrown = /^error: (?:Uncaught .*?Error: )?(.*)$/m.exec(text)?.[1]; // a stack follows
  throw refusal(
    `the addon to compute gradients but received ${
      quote(thrown ?? text.split("\n").at(-1)!)
    }; try another version with --tensorflow, or another compiler with CXX`,
  );
}
