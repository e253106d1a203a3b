/**
 * The charts of an evaluation's report.
 *
 * @module
 */
import { type Chart, chart, type ChartColor, chartColor } from "../../io/chart.ts";
import type { Measurement } from "./measurement.ts";

const BANDS = ["ll", "lh", "hl", "hh"] as const;
const COLORS: Readonly<Record<string, ChartColor>> = { student: "first", teacher: "second" };
const AXIS = { label: null, tickSize: 0, tickPadding: 6 } as const;

/** Roughness of w in each Haar band, a dot for each network; 1 is a straight fade. */
export async function roughnessChart(
  measurements: readonly Measurement[],
): Promise<Chart | undefined> {
  const paths = measurements.filter(({ metric }) => metric === "ppl");
  const subjects = [...new Set(paths.map(({ subject }) => subject))];
  if (subjects.length === 0) return undefined;
  const points = subjects.flatMap((subject) => {
    const { values } = paths.find((one) => one.subject === subject)!;
    return BANDS.map((band) => ({
      subject,
      band: band.toUpperCase(),
      value: values[`roughness_${band}`]!,
    }));
  });
  const most = Math.max(...points.map(({ value }) => value), 1);
  return await chart({
    title: "Roughness of w by Haar band",
    subtitle: "squared speed at the ends of paths over that of a straight fade (the line at 1); " +
      "lower is smoother",
    panelHeightPx: 220,
    panels: [{
      notes: subjects.map((subject) => ({ text: subject, color: COLORS[subject] ?? "ink" })),
      plot: ({ gridY, ruleY, ruleX, dot }) => ({
        marginLeft: 44,
        marginRight: 8,
        marginTop: 8,
        marginBottom: 24,
        x: { ...AXIS, type: "point", domain: BANDS.map((band) => band.toUpperCase()) },
        y: { ...AXIS, domain: [0, most * 1.05], ticks: 5 },
        marks: [
          gridY({ stroke: chartColor("grid"), strokeOpacity: 1, ticks: 5 }),
          ruleY([1], { stroke: chartColor("muted"), strokeDasharray: "5 4" }),
          ...subjects.length === 2
            ? [
              ruleX(BANDS.map((band) => band.toUpperCase()), {
                x: (band: string) => band,
                y1: (band: string) => Math.min(...valuesOf(points, band)),
                y2: (band: string) => Math.max(...valuesOf(points, band)),
                stroke: chartColor("grid"),
                strokeOpacity: 1,
                strokeWidth: 3,
              }),
            ]
            : [],
          ...subjects.map((subject) =>
            dot(points.filter((point) => point.subject === subject), {
              x: "band",
              y: "value",
              r: 6,
              fill: chartColor(COLORS[subject] ?? "ink"),
            })
          ),
        ],
      }),
    }],
  });
}

const valuesOf = (points: readonly { band: string; value: number }[], band: string) =>
  points.filter((point) => point.band === band).map(({ value }) => value);

/** Quality of every exit against what it costs. */
export async function exitChart(
  measurements: readonly Measurement[],
): Promise<Chart | undefined> {
  const exits = measurements.filter(({ metric }) => metric === "early_exit");
  if (exits.length < 2) return undefined;
  const points = exits.map(({ values }) => ({
    cost: values["multiply_adds"]! / 1e6,
    psnr: values["whole_psnr"]!,
    text: `${values["size_px"]} px`,
  }));
  const decibels = points.map(({ psnr }) => psnr);
  return await chart({
    title: "Early exits: quality against cost",
    subtitle: "PSNR in dB against the teacher's whole image, the exit's image enlarged; " +
      "cost in million multiply-adds, logarithmic",
    panelHeightPx: 240,
    panels: [{
      plot: ({ gridY, line, dot, text }) => ({
        marginLeft: 44,
        marginRight: 40,
        marginTop: 24,
        marginBottom: 24,
        x: {
          ...AXIS,
          type: "log",
          ticks: 4,
          tickFormat: (value: number) => String(value),
          insetLeft: 28,
          insetRight: 20,
        },
        y: {
          ...AXIS,
          domain: [Math.floor(Math.min(...decibels)) - 1, Math.ceil(Math.max(...decibels)) + 1],
          ticks: 5,
        },
        marks: [
          gridY({ stroke: chartColor("grid"), strokeOpacity: 1, ticks: 5 }),
          line(points, { x: "cost", y: "psnr", stroke: chartColor("first"), strokeWidth: 2 }),
          dot(points, { x: "cost", y: "psnr", fill: chartColor("first"), r: 5 }),
          text(points, {
            x: "cost",
            y: "psnr",
            text: "text",
            dy: -14,
            fontSize: 12,
            fill: chartColor("ink"),
          }),
        ],
      }),
    }],
  });
}
