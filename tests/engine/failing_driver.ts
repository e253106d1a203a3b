/** A Vulkan driver that fails when it is told to, around the one in `VK_DRIVER_FILES`. */
import { dirname, join } from "node:path";

/** A driver for a process of its own. */
export interface FailingDriver extends AsyncDisposable {
  /** Makes a process use it. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on the device is lost at the next submission, or has no memory for large buffers. */
  fail(fault: "lost" | "memory"): Promise<void>;
  /** From now on it does what the real one does. */
  heal(): Promise<void>;
}

/** Whether a C compiler is here, and a driver named. */
export function canBuildDriver(): boolean {
  try {
    const { success } = new Deno.Command("cc", { args: ["--version"] }).outputSync();
    return success && Deno.env.has("VK_DRIVER_FILES");
  } catch {
    return false;
  }
}

/** Compiles it. */
export async function buildFailingDriver(): Promise<FailingDriver> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-driver-" });
  const [library, manifest, fault] = [
    join(folder, "libdriver.so"),
    join(folder, "driver.json"),
    join(folder, "fault"),
  ];
  const source = new URL("failing_driver.c", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command("cc", {
    args: ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const real = Deno.env.get("VK_DRIVER_FILES")!;
  const { ICD } = JSON.parse(await Deno.readTextFile(real));
  await Deno.writeTextFile(
    manifest,
    JSON.stringify({ file_format_version: "1.0.0", ICD: { ...ICD, library_path: library } }),
  );
  const path = ICD.library_path as string; // a name alone is one for the system's search
  return {
    env: {
      VK_DRIVER_FILES: manifest,
      REAL_DRIVER: path.startsWith(".") ? join(dirname(real), path) : path,
      DRIVER_FAULT: fault,
    },
    fail: (kind) => Deno.writeTextFile(fault, kind),
    heal: () => Deno.remove(fault),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
