/**
 * JSON files, all or nothing.
 *
 * @module
 */
import { writeFileAtomic } from "./atomic_write.ts";
import { messageOf, quote } from "./describe.ts";

/** Writes a value as JSON and makes the folder; what was there stays whole until it is replaced. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  await writeFileAtomic(path, [new TextEncoder().encode(text)]);
}

/**
 * Reads a JSON file; `undefined` if there is none.
 *
 * @throws {SyntaxError} If it holds no JSON.
 */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `Cannot read ${quote(path)}: expected JSON but received ${quote(messageOf(error))}`,
      { cause: error },
    );
  }
}
