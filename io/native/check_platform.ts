import { refusal } from "./refusal.ts";

/** What {@linkcode checkPlatform} looks at: `Deno.build`. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/**
 * Refuses systems for which pip has no TensorFlow with headers and shared libraries.
 *
 * @throws {Error} with what would do instead
 */
export function checkPlatform({ os, arch }: Platform, cuda: boolean): void {
  if (os === "windows") throw refusal("Linux or macOS but received windows; use WSL 2");
  if (os !== "linux" && os !== "darwin") {
    throw refusal(`Linux or macOS but received ${os}; use --engine onnx`);
  }
  if (arch !== "x86_64" && arch !== "aarch64") {
    throw refusal(`x86_64 or aarch64 but received ${arch}; use --engine onnx`);
  }
  if (cuda && os === "darwin") {
    throw refusal("Linux for --cuda but received macOS; build for the CPU without --cuda");
  }
}
