/**
 * The command line: reads flags, runs what `mod.ts` offers, prints what it yields, and turns errors
 * into exit codes. `deno task` lists the commands.
 *
 * @module
 */
import process from "node:process";
import type { AnyCommand } from "./cli/command.ts";
import { ablateCommand } from "./cli/commands/ablate.ts";
import { convertCommand } from "./cli/commands/convert.ts";
import { costCommand } from "./cli/commands/cost.ts";
import { devicesCommand } from "./cli/commands/devices.ts";
import { distillCommand } from "./cli/commands/distill.ts";
import { evaluateCommand } from "./cli/commands/evaluate.ts";
import { exportCommand } from "./cli/commands/export.ts";
import { generateCommand } from "./cli/commands/generate.ts";
import { listCommand } from "./cli/commands/list.ts";
import { notebookCommand } from "./cli/commands/notebook.ts";
import { nativeCommand } from "./cli/commands/native.ts";
import { trainTeacherCommand } from "./cli/commands/train_teacher.ts";
import { EXIT, runCommandLine, sentenceOf } from "./cli/run_command_line.ts";
import { tf } from "./mod.ts";

/** The commands by the name of their task. */
export const commands: Readonly<Record<string, AnyCommand>> = {
  "distill": distillCommand,
  "train-teacher": trainTeacherCommand,
  "evaluate": evaluateCommand,
  "ablate": ablateCommand,
  "generate": generateCommand,
  "export": exportCommand,
  "convert": convertCommand,
  "cost": costCommand,
  "list": listCommand,
  "devices": devicesCommand,
  "native": nativeCommand,
  "notebook": notebookCommand,
};

function onInterrupt(callback: () => void): () => void {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, callback);
  return () => {
    for (const signal of signals) Deno.removeSignalListener(signal, callback);
  };
}

async function confine(): Promise<void> {
  for (const name of ["net", "run", "ffi"] as const) await Deno.permissions.revoke({ name });
}

if (import.meta.main) {
  // What nobody waits for, such as a plugin's request, fails like everything else.
  const fail = (event: Event, error: unknown) => {
    event.preventDefault();
    console.error(sentenceOf(error, Deno.args[0] ?? "help"));
    Deno.exit(EXIT.failed);
  };
  addEventListener("unhandledrejection", (event) => fail(event, event.reason));
  addEventListener("error", (event) => fail(event, event.error));
  tf.enableProdMode(); // no advice on the console to install other backends
  Deno.exitCode = await runCommandLine(Deno.args, commands, {
    terminal: {
      print: (line) => console.log(line),
      warn: (line) => console.error(line),
      bar: Deno.stderr.isTerminal() ? process.stderr : undefined,
      now: () => performance.now(),
    },
    onInterrupt,
    confine,
    exit: (code) => Deno.exit(code),
  });
}
