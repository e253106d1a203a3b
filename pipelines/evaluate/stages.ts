/**
 * The work of an evaluation, piece by piece.
 *
 * @module
 */
import { type NetworkCost, studentCost } from "../../networks/cost.ts";
import { cost } from "../../networks/cost_of.ts";
import { uncountedNote, uncountedParts } from "../../networks/uncounted.ts";
import { createDetailSums } from "./detail.ts";
import { exitSizes, measureExits } from "./early_exits.ts";
import type { EvaluationFeatures } from "./features.ts";
import { markOf, type Measurement } from "./measurement.ts";
import { MEAN_IMAGES, measureMeanImage, measurePairs, openPairs } from "./pairs.ts";
import { pathWalk } from "./paths.ts";
import { setStages } from "./set_stages.ts";
import { generatorsOf, type Stage, type StageContext } from "./stage.ts";
import { measureTimes, timedExits, timedGenerator } from "./timing.ts";

/** Pairs on which early exits are compared, at most. */
const EXIT_PAIRS = 128;

/** All stages in their order: time first, while the process is still small. */
export function stagesOf(context: StageContext): Stage[] {
  return [
    ...costStages(context),
    ...setStages(context),
    ...distanceStages(context),
    ...pplStages(context),
    ...exitStages(context),
  ];
}

function costStages({ metrics, subjects, engine, config, findings }: StageContext): Stage[] {
  if (!metrics.has("cost")) return [];
  const { student, teacher } = subjects;
  const timed = [
    ...generatorsOf(subjects).map(([label, { generator }]) => timedGenerator(label, generator)),
    ...student ? timedExits(student.generator) : [],
  ];
  return [
    {
      name: "costs",
      units: 0,
      run: () => {
        const note = student && uncountedNote(uncountedParts(cost(student.generator)));
        if (note) findings.notes.push(note);
        const row = (subject: string, { total }: NetworkCost): Measurement => ({
          metric: "cost",
          subject,
          values: {
            parameters: total.parameters,
            multiply_adds: total.convolution,
            linear_multiply_adds: total.linear,
            filter_multiply_adds: total.filter,
          },
        });
        return Promise.resolve([
          ...student
            ? [
              row("student", cost(student.generator)),
              row(
                "student in training",
                studentCost(
                  { ...student.generator.config, auxiliary: true, fused: false },
                  student.generator.parts,
                ),
              ),
            ]
            : [],
          ...teacher ? [row("teacher", cost(teacher.generator))] : [],
        ]);
      },
    },
    {
      name: "time",
      units: timed.length * (config.timedRuns + 1),
      run: (tick) =>
        measureTimes(timed, { engine, runs: config.timedRuns, seed: config.seed, tick }),
    },
  ];
}

/** The networks that measure, or none: what needs no features is measured all the same. */
function eachNetwork(
  networks: readonly EvaluationFeatures[],
): readonly (EvaluationFeatures | undefined)[] {
  return networks.length > 0 ? networks : [undefined];
}

function distanceStages(context: StageContext): Stage[] {
  const { metrics, subjects: { student, teacher }, config, networks, findings } = context;
  const chosen = metrics.get("distance");
  if (!chosen || !student || !teacher) return [];
  const { seed, pairs: count, batch } = config;
  const pairs = openPairs({ student, teacher }, { seed, count, batch });
  findings.pairs = pairs;
  return eachNetwork(networks).flatMap((network, i): Stage[] => [
    {
      name: "pairs of student and teacher",
      units: 2 * count,
      run: async (tick) => {
        const detail = i === 0 ? createDetailSums() : undefined;
        const measured = await measurePairs(pairs, { ...chosen, network, detail, tick });
        findings.psnr = measured.psnr;
        const mark = network && markOf(network, student);
        const results: Measurement[] = [{
          metric: "distance",
          subject: "student",
          reference: "teacher",
          ...network && { features: network.label },
          ...mark && { mark },
          values: measured.values,
        }];
        if (!detail) return results;
        findings.detail = detail.finish();
        const { values } = findings.detail;
        return [...results, { metric: "detail", subject: "student", reference: "teacher", values }];
      },
    },
    {
      name: "the teacher's mean image",
      units: MEAN_IMAGES + count,
      run: async (tick) => [{
        metric: "distance",
        subject: "teacher's mean image",
        reference: "teacher",
        ...network && { features: network.label },
        values: await measureMeanImage(teacher, {
          ...chosen,
          network,
          seed,
          count,
          batch,
          tick,
        }),
      }],
    },
  ]);
}

function pplStages({ metrics, subjects, config, networks }: StageContext): Stage[] {
  const chosen = metrics.get("ppl");
  if (!chosen) return [];
  const { metric, options } = chosen;
  const { seed, paths: count, batch } = config;
  return generatorsOf(subjects).flatMap(([label, subject]) =>
    eachNetwork(networks).map((network): Stage => ({
      name: `paths in w: ${label}`,
      units: 3 * count,
      run: async (tick) => {
        const mark = network && markOf(network, subject);
        const values = await metric.compute({
          walk: pathWalk(subject, { seed, count, batch, tick }),
          ...network && {
            distance: (left: Parameters<EvaluationFeatures["distance"]>[0], right: typeof left) =>
              network.distance(left, right),
          },
        }, options);
        return [{
          metric: "ppl",
          subject: label,
          ...network && { features: network.label },
          ...mark && { mark },
          values,
        }];
      },
    }))
  );
}

function exitStages(context: StageContext): Stage[] {
  const { metrics, subjects: { student, teacher }, config, engine, findings } = context;
  if (!metrics.has("distance") || !student || !teacher) return [];
  if (exitSizes(student.generator).length < 2) return [];
  const count = Math.min(config.pairs, EXIT_PAIRS);
  const { seed, batch } = config;
  return [{
    name: "early exits",
    units: 2 * count,
    run: async (tick) => {
      const exits = await measureExits({ student, teacher }, { engine, seed, count, batch, tick });
      findings.exits = exits.images;
      return exits.measurements;
    },
  }];
}
