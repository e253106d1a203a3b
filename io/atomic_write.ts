import { basename, dirname, join } from "node:path";
import { messageOf, quote } from "./describe.ts";

/** Names of files that {@linkcode writeFileAtomic} had not finished when its process ended. */
export const UNFINISHED = /^\..+\.\d+-\d+\.tmp$/;

async function openTemporary(path: string): Promise<{ file: Deno.FsFile; temporary: string }> {
  for (let i = 0;; i++) {
    const temporary = join(dirname(path), `.${basename(path)}.${Deno.pid}-${i}.tmp`);
    try {
      return { file: await Deno.open(temporary, { write: true, createNew: true }), temporary };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

async function writeAll(file: Deno.FsFile, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
  }
}

/** Makes a rename outlast a power cut; a folder cannot be opened on Windows. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path);
  await folder.sync();
}

/**
 * Writes a file so that its name always holds either the old content or all of the new: a
 * temporary file beside it is written, synced and renamed. Makes the folder if there is none.
 *
 * @param chunks the content, in order
 * @throws {Error} if the file cannot be written; the temporary file is removed
 */
export async function writeFileAtomic(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  let unfinished: string | undefined;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const { file, temporary } = await openTemporary(path);
    unfinished = temporary;
    try {
      await writeAll(file, chunks);
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
    unfinished = undefined;
    await syncFolder(dirname(path));
  } catch (error) {
    if (unfinished) await Deno.remove(unfinished).catch(() => {});
    throw new Error(
      `Cannot write ${quote(path)}: expected a writable file but received "${messageOf(error)}"`,
      { cause: error },
    );
  }
}
