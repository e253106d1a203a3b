/**
 * What a run's config.json says beside the configuration: enough to know what was run, on what.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { Weights } from "../core/contracts.ts";
import type { Engine } from "../engine/mod.ts";
import type { Student, Teacher } from "../networks/generator.ts";

/** A short checksum of weights. */
export function checksumOf(weights: Weights): string {
  let sum = 0;
  for (const name of Object.keys(weights).sort()) {
    const { data } = weights[name]!;
    sum = crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), crc32(name, sum));
  }
  return sum.toString(16).padStart(8, "0");
}

/** The networks by configuration and checksum (compared when a run goes on), and the environment. */
export function runMetadata(
  engine: Engine,
  { teacher, student }: { readonly teacher: Teacher; readonly student: Student },
) {
  return {
    networks: {
      teacher: { config: teacher.config, checksum: checksumOf(teacher.weights) },
      student: { config: student.config, checksum: checksumOf(student.weights) },
    },
    environment: environmentOf(engine),
  };
}

/** What a run ran on. */
export function environmentOf({ name, description, threads, device }: Engine) {
  return {
    engine: name,
    device,
    threads,
    description,
    deno: Deno.version.deno,
    platform: `${Deno.build.os} ${Deno.build.arch}`,
  };
}

/** What changes no number: how a step is computed, and how often a run is looked at and saved. */
const FREE_FIELDS: readonly PropertyKey[] = [
  "accumulate",
  "sampleSteps",
  "sampleKimg",
  "checkpointSteps",
  "checkpointKimg",
];

/** What must not change when a run goes on: not its length, the threads, the device or free fields. */
export function comparableRecord<
  Record extends { readonly environment: ReturnType<typeof environmentOf> },
>(
  { environment: { engine, deno }, ...rest }: Record,
  length: keyof Record,
): unknown {
  const free = [length, ...FREE_FIELDS];
  const others = Object.entries(rest).filter(([name]) => !free.includes(name));
  return { ...Object.fromEntries(others), environment: { engine, deno } };
}

/** A configuration as a run's config.json holds it, without what the run added. */
export function withoutMetadata(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  const { networks: _, environment: __, ...config } = json as Record<string, unknown>;
  return config;
}
