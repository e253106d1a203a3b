/**
 * The end of an ablation: times, table, plots.
 *
 * @module
 */
import { writeFileAtomic } from "../../io/atomic_write.ts";
import type { Student } from "../../networks/generator.ts";
import { uncountedNote } from "../../networks/uncounted.ts";
import type { AblationEndEvent } from "../ablate_events.ts";
import { costChart, qualityChart } from "./charts.ts";
import { measureStudentTimes } from "./measures.ts";
import { type AblateSession, rowsOf, studentOf } from "./session.ts";
import { ablationMarkdown, summarise } from "./table.ts";

/** Times one student of every variant. */
async function timesOf(session: AblateSession) {
  const { jobs, results, engine, config } = session;
  const students: Record<string, Student> = {};
  for (const job of jobs) {
    const path = results.get(job.id)?.path;
    if (path !== undefined) students[job.variant] ??= await studentOf(session, job, path);
  }
  return await measureStudentTimes(students, {
    engine,
    runs: config.timingRuns,
  });
}

/** Writes the table and draws it. */
export async function writeResults(
  session: AblateSession,
  isWhole: boolean,
): Promise<AblationEndEvent> {
  const { config, out, results, jobs, errors, engine } = session;
  const rows = rowsOf(session, isWhole ? await timesOf(session) : {});
  const summaries = summarise(rows);
  const { base, variants, seeds, images } = config;
  const silent = new Set([...session.counts.values()].flatMap(({ uncounted = [] }) => uncounted));
  const uncounted = uncountedNote([...silent]);
  const markdown = ablationMarkdown(summaries, {
    title: config.name,
    variants,
    notes: [
      `${base.steps} steps of ${base.batch} images, seeds ${
        seeds.join(", ")
      }; ${results.size} of ${jobs.length} runs finished`,
      `distances to the teacher over ${images} images of latents that training never draws; mean ± standard deviation over the seeds; "to the base" pairs runs of the same seed`,
      "SWD: sliced Wasserstein distance of Haar bands x 1000, 0 is equal; finest HH: details of one pixel",
      `multiply-adds of one image: convolutions and FIR filters; ms: median of ${config.timingRuns} images one by one, all variants in turn (${engine.description}); where weights are constant, ONNX Runtime computes constant demodulation factors by itself, so that fusing them changes little`,
      ...uncounted === undefined ? [] : [uncounted],
    ],
  });
  const encode = (text: string) => [new TextEncoder().encode(text)];
  await writeFileAtomic(
    `${out}/table.jsonl`,
    encode(rows.map((row) => `${JSON.stringify(row)}\n`).join("")),
  );
  const path = `${out}/table.md`;
  await writeFileAtomic(path, encode(markdown));
  const charts = results.size > 0
    ? [await qualityChart(summaries), await costChart(summaries)]
    : [];
  for (const [i, name] of ["quality", "cost"].entries()) {
    const chart = charts[i];
    if (!chart) continue;
    await writeFileAtomic(`${out}/${name}.svg`, encode(chart.svg));
    await writeFileAtomic(`${out}/${name}.png`, [chart.png()]);
  }
  const finished = isWhole && results.size + errors.size === jobs.length;
  return { kind: "ablationEnd", finished, rows, summaries, path, charts };
}
