import { lastLine } from "./last_line.ts";
import { refusal } from "./refusal.ts";
import { runProgram } from "./run_program.ts";

/**
 * What NVIDIA's driver calls its first GPU.
 *
 * @throws {Error} if there is no driver, or it sees no GPU
 */
export async function findGpu(signal: AbortSignal | undefined): Promise<string> {
  const listed = await runProgram("nvidia-smi", ["-L"], { signal });
  const [gpu] = /^GPU 0: .*?(?= \(UUID|$)/m.exec(listed?.output ?? "") ?? [];
  if (listed?.success && gpu) return gpu.slice("GPU 0: ".length);
  throw refusal(
    listed
      ? `nvidia-smi to list a GPU for --cuda but received ${
        lastLine(listed.text)
      }; mend the driver, or build for the CPU without --cuda`
      : "NVIDIA's driver for --cuda but found no nvidia-smi; install the driver, or build for the CPU without --cuda",
  );
}
