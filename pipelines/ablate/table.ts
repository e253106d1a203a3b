/**
 * The results of an ablation: a tidy table of runs, and a summary of variants.
 *
 * @module
 */
import type { Counts, Quality, Times } from "./measures.ts";
import { BASE, type Variant } from "./variants.ts";

/** One run, one row: everything that is known of it. */
export interface AblationRow extends Partial<Quality>, Counts, Partial<Times> {
  /** Name of the variant. */
  readonly variant: string;
  /** The field that differs from the base, and what it holds. */
  readonly field: string;
  /** What the field holds. */
  readonly value: unknown;
  /** Seed of the run. */
  readonly seed: number;
  /** Why there is no result. */
  readonly error?: string;
}

/** Mean and spread of some numbers. */
export interface Spread {
  /** The mean. */
  readonly mean: number;
  /** Standard deviation of the sample; `NaN` of a single number. */
  readonly deviation: number;
  /** The numbers themselves. */
  readonly values: readonly number[];
}

/** One variant, summed up over its seeds. */
export interface VariantSummary extends Counts, Partial<Times> {
  /** Name of the variant. */
  readonly variant: string;
  /** Runs with a result. */
  readonly runs: number;
  /** PSNR to the teacher, in dB. */
  readonly psnrDb: Spread;
  /** Structural similarity to the teacher. */
  readonly ssim: Spread;
  /** Sliced Wasserstein distance to the teacher, mean over bands. */
  readonly swd: Spread;
  /** The same for the finest bands. */
  readonly swdFinest: Spread;
  /** Differences to the base with the same seed: what the seed alone does is gone. */
  readonly psnrGainDb: Spread;
  /** The same of SWD. */
  readonly swdGain: Spread;
  /** Why runs have no result. */
  readonly failures: readonly string[];
}

/** Mean and sample deviation. */
export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)), values };
}

/** Sums up runs by variant, in the order of the variants. */
export function summarise(rows: readonly AblationRow[]): VariantSummary[] {
  const baseOf = new Map(
    rows.filter(({ variant }) => variant === BASE).map((row) => [row.seed, row]),
  );
  return [...Map.groupBy(rows, ({ variant }) => variant)].map(([variant, own]) => {
    const measured = own.filter(({ psnrDb }) => psnrDb !== undefined);
    const spread = (field: keyof Quality) => spreadOf(measured.map((row) => row[field]!));
    const gain = (field: keyof Quality) =>
      spreadOf(measured.flatMap((row) => {
        const base = baseOf.get(row.seed)?.[field];
        return base === undefined ? [] : [row[field]! - base];
      }));
    const [first] = own as [AblationRow];
    const timed = own.find(({ ms }) => ms !== undefined);
    return {
      variant,
      runs: measured.length,
      parameters: first.parameters,
      inferenceParameters: first.inferenceParameters,
      multiplyAdds: first.multiplyAdds,
      ...timed && { ms: timed.ms!, fusedMs: timed.fusedMs! },
      psnrDb: spread("psnrDb"),
      ssim: spread("ssim"),
      swd: spread("swd"),
      swdFinest: spread("swdFinest"),
      psnrGainDb: gain("psnrDb"),
      swdGain: gain("swd"),
      failures: own.flatMap(({ seed, error }) =>
        error === undefined ? [] : [`seed ${seed}: ${error}`]
      ),
    };
  });
}

const signed = (text: string) => text.startsWith("-") ? text : `+${text}`;

function spreadText({ mean, deviation, values }: Spread, digits: number, sign = false): string {
  if (values.length === 0) return "";
  const shown = sign ? signed(mean.toFixed(digits)) : mean.toFixed(digits);
  return Number.isNaN(deviation) ? shown : `${shown} ± ${deviation.toFixed(digits)}`;
}

/** The summaries as the rows of a table for people. */
export function tableOf(
  summaries: readonly VariantSummary[],
): Readonly<Record<string, string | number>>[] {
  return summaries.map((summary) => {
    const { variant, runs, parameters, inferenceParameters, multiplyAdds, ms, fusedMs } = summary;
    const isBase = variant === BASE;
    return {
      "variant": variant,
      "runs": runs,
      "PSNR, dB": spreadText(summary.psnrDb, 2),
      "to the base": isBase ? "" : spreadText(summary.psnrGainDb, 2, true),
      "SSIM": spreadText(summary.ssim, 4),
      "SWD": spreadText(summary.swd, 1),
      "finest HH": spreadText(summary.swdFinest, 1),
      "parameters": parameters,
      "for inference": inferenceParameters,
      "multiply-adds": multiplyAdds,
      "ms": ms === undefined ? "" : ms.toFixed(2),
      "ms, fused": fusedMs === undefined ? "" : fusedMs.toFixed(2),
    };
  });
}

function markdownOf(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const columns = Object.keys(rows[0]!);
  const isText = (column: string) => column === "variant";
  const cell = (value: string | number) =>
    typeof value === "number" ? value.toLocaleString("en-US") : value.replaceAll("|", "\\|");
  const texts = [columns, ...rows.map((row) => columns.map((column) => cell(row[column]!)))];
  const widths = columns.map((_, i) => Math.max(3, ...texts.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    `| ${
      row.map((text, i) =>
        isText(columns[i]!) ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)
      ).join(" | ")
    } |`;
  const rule = `| ${
    widths.map((width, i) => isText(columns[i]!) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)
      .join(" | ")
  } |`;
  const [head, ...body] = texts;
  return [line(head!), rule, ...body.map(line)].join("\n");
}

/** The whole result as Markdown: table, what each variant asks, what failed, how it was measured. */
export function ablationMarkdown(
  summaries: readonly VariantSummary[],
  { title, variants, notes }: {
    readonly title: string;
    readonly variants: readonly Variant[];
    readonly notes: readonly string[];
  },
): string {
  const questions = variants.map(({ name, field, value, question }) => {
    const what = field ? `\`${field}\` = \`${JSON.stringify(value)}\`` : "";
    return `- **${name}**: ${[question, what].filter(Boolean).join("; ")}`;
  });
  const failures = summaries.flatMap(({ variant, failures }) =>
    failures.map((failure) => `- **${variant}**, ${failure}`)
  );
  return [
    `# ${title}`,
    markdownOf(tableOf(summaries)),
    notes.map((note) => `- ${note}`).join("\n"),
    ...failures.length > 0 ? [`## Failed\n\n${failures.join("\n")}`] : [],
    `## Variants\n\n${questions.join("\n")}`,
  ].join("\n\n") + "\n";
}
