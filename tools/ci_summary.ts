/**
 * Adds up JUnit files and prints `N passed, N failed`, the line that CI reads.
 *
 * @module
 */

/** What a file of results says. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts the test cases of a JUnit file.
 *
 * @throws {SyntaxError} If it is none, or says other totals than it lists.
 */
export function countTests(xml: string): Counts {
  const root = /<testsuites\b[^>]*\btests="(\d+)"[^>]*\bfailures="(\d+)"[^>]*\berrors="(\d+)"/
    .exec(xml);
  const cases = xml.match(/<testcase\b/g)?.length ?? 0;
  if (!root || Number(root[1]) !== cases || !xml.includes("</testsuites>")) {
    throw new SyntaxError(
      `Cannot read JUnit results: expected ${root?.[1] ?? "some"} cases but received ${cases}`,
    );
  }
  const failed = Number(root[2]) + Number(root[3]);
  const skipped = xml.match(/<skipped\b/g)?.length ?? 0;
  return { passed: cases - failed - skipped, failed, skipped };
}

/** The sum of the files; one that is missing or broken is a failure, with its reason. */
export async function summarise(
  paths: readonly string[],
): Promise<Counts & { readonly notes: readonly string[] }> {
  let [passed, failed, skipped] = [0, 0, 0];
  const notes: string[] = [];
  for (const path of paths) {
    try {
      const counts = countTests(await Deno.readTextFile(path));
      passed += counts.passed;
      failed += counts.failed;
      skipped += counts.skipped;
      notes.push(
        `${path}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
      );
    } catch (error) {
      failed++;
      notes.push(`${path}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { passed, failed, skipped, notes };
}

if (import.meta.main) {
  const { passed, failed, notes } = await summarise(Deno.args);
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) Deno.exitCode = 1;
}
