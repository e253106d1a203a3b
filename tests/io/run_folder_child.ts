/**
 * A process for `run_folder_test.ts` to kill: trains for ever, with a checkpoint after every step.
 * It prints a line once it has the folder.
 */
import { openRun } from "../../io/run_folder.ts";

const [dir] = Deno.args;
using run = await openRun(dir!, { seed: 1 });
let images = run.resumed?.counters.images ?? 0;
const size = 2_000_000; // large enough to be killed in the middle of
await Deno.stdout.write(new TextEncoder().encode("open\n"));
while (Deno.args[1] !== "idle") {
  images += 1000;
  run.append({ kind: "step", images });
  const weights = { shape: [size], data: new Float32Array(size).fill(images) };
  await run.checkpoint({ weights }, { images, step: images / 1000 });
}
await new Promise((resolve) => setTimeout(resolve, 60_000));
