/**
 * `deno doc --lint` of the public door, without the faults of other people's packages: re-exporting
 * TensorFlow.js as `tf` makes Deno complain about a thousand of its declarations.
 *
 * @module
 */

/** Types that a reader finds under the name of their package, or of their part. */
const KNOWN_ELSEWHERE: readonly RegExp[] = [
  /references private type '(?:Tensor(?:\dD)?|Scalar)'/, // TensorFlow.js, which is exported as `tf`
  /references private type 'StandardSchemaV1(?:\.\w+)?'/,
  /references private type 'PlotOptions'/, // of @observablehq/plot
  /public type 'Builtin\["\w+"\]' references private type/, // lists the built-in parts by value
];

/** The complaints about files below a folder, as Deno printed them. */
export function ownComplaints(report: string, root: string): string[] {
  return report.split(/^(?=error\[)/m)
    .filter((block) => block.startsWith("error["))
    .filter((block) => /^ *--> *(.+):\d+:\d+$/m.exec(block)?.[1]?.startsWith(root))
    .filter((block) => !KNOWN_ELSEWHERE.some((known) => known.test(block)))
    .map((block) => block.replace(/\n\s*error: Found [^]*$/, "").trimEnd());
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", new URL("../mod.ts", import.meta.url).href],
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  const report = new TextDecoder().decode(stderr);
  const complaints = ownComplaints(report, root);
  for (const complaint of complaints) console.error(`${complaint}\n`);
  const isRead = code === 0 || /^error: Found \d+ documentation lint errors?\.$/m.test(report);
  if (!isRead) console.error(report);
  console.error(`${complaints.length} faults in the documentation of mod.ts`);
  if (complaints.length > 0 || !isRead) Deno.exitCode = 1;
}
