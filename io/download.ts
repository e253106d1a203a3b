import { basename, join } from "node:path";
import { messageOf, quote } from "./describe.ts";

/** Whether a name is an address on the network. */
export function isRemote(source: string): boolean {
  return /^https?:/.test(source);
}

/**
 * Downloads a file, lends its path, and removes it.
 *
 * @throws {Error} If it cannot be downloaded, or this process may not use the network.
 */
export async function withDownload<Result>(
  url: string,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const fail = (received: string, cause?: unknown) =>
    new Error(`Cannot download ${quote(url)}: expected a file but received ${received}`, { cause });
  const response = await fetch(url).catch((error: unknown) => {
    throw error instanceof Deno.errors.NotCapable
      ? fail("no permission to use the network, which the commands have not; save it first", error)
      : fail(quote(messageOf(error)), error);
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw fail(`status ${response.status}`);
  }
  const folder = await Deno.makeTempDir({ prefix: "haarlem-download-" });
  try {
    // The name stays: its ending tells formats apart.
    const path = join(folder, basename(new URL(url).pathname) || "file");
    await Deno.writeFile(path, response.body);
    return await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
