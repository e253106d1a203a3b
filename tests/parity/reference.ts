/**
 * What the parity tests share: the golden networks through the converter, both engines, and golden
 * gradients by our names.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, Weights } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
import { findOpenvino } from "../../engine/find_openvino.ts";
import { createEngine } from "../../engine/mod.ts";
import { bytesAccess } from "../../io/random_access.ts";
import {
  convert,
  type ConvertedStudent,
  type ConvertedTeacher,
  convertTable,
} from "../../pipelines/convert.ts";
import type { Entry } from "../../pipelines/convert/entries.ts";
import { layouts } from "../../pipelines/convert/layouts.ts";
import { readWeightTable } from "../../pipelines/convert/weight_table.ts";
import { golden, nhwc } from "../golden.ts";

/** The engines whose results are compared with the reference codes'; the last if it is installed. */
const engineNames = ["tfjs", "onnx", "openvino"] as const;
const installed = "path" in findOpenvino(undefined);

/** Compiles a function when it is first given, and runs it. */
export type Run = <In, Out>(fn: (inputs: In) => Out, inputs: Arrays<In>) => Promise<Arrays<Out>>;

/** Runs a test on every engine. */
export function parityTest(
  name: string,
  test: (run: Run, engineName: (typeof engineNames)[number]) => Promise<void>,
): void {
  for (const engineName of engineNames) {
    const ignore = engineName === "openvino" && !installed;
    Deno.test(`parity on ${engineName}: ${name}`, { ignore }, async () => {
      const engine = await createEngine({ engine: engineName, threads: 1 });
      const compiled = new Map<unknown, (inputs: unknown) => Promise<unknown>>();
      const run = (fn: (inputs: never) => unknown, inputs: unknown) => {
        if (!compiled.has(fn)) compiled.set(fn, engine.compile(fn, { name }) as never);
        return compiled.get(fn)!(inputs);
      };
      try {
        await test(run as Run, engineName);
      } finally {
        await engine.dispose();
      }
    });
  }
}

/** A tree of tensors as the same tree of arrays. */
export type Arrays<T> = T extends tf.Tensor ? HostArray : { readonly [K in keyof T]: Arrays<T[K]> };

const path = (file: string) => new URL(`../golden/${file}`, import.meta.url);

/** A golden teacher in our names; `average: false` takes the weights that were trained. */
export async function teacherOf(
  file: string,
  { average = true }: { readonly average?: boolean } = {},
): Promise<ConvertedTeacher> {
  const access = bytesAccess(Deno.readFileSync(path(file)), file);
  const table = readWeightTable(access);
  const tensors = [...table.tensors].filter(([name]) => average || !/^[gG]_ema\./.test(name));
  const chosen = { ...table, tensors: new Map(tensors) };
  return await convertTable(chosen, { kind: "teacher" }) as ConvertedTeacher;
}

/** The golden student in our names. */
export async function student(): Promise<ConvertedStudent> {
  return await convert(path("mobilestylegan.ckpt")) as ConvertedStudent;
}

/** The small stand-in of VGG16 that the golden perceptual loss was computed with. */
export async function tinyVgg16(): Promise<Weights> {
  const { weights } = await convert(path("mobilestylegan.ckpt"), { kind: "vgg16" });
  return under(weights, "features");
}

/** The first `count` samples of a batch. */
export function first({ shape, data }: HostArray, count: number): HostArray {
  const size = data.length / shape[0]!;
  return { shape: [count, ...shape.slice(1)], data: data.slice(0, count * size) };
}

/** Golden noise maps `[N,1,r,r]` of a generator in NHWC, of the first `count` samples. */
export function noiseMaps(prefix: string, count?: number): HostArray[] {
  return Array.from({ length: 7 }, (_, i) => {
    const map = nhwc(golden(`${prefix}/noise_${i}`));
    return count === undefined ? map : first(map, count);
  });
}

/** The author's noise: one pair of maps per level, shared by the batch. */
export function sharedNoiseMaps(): HostArray[] {
  return Array.from({ length: 4 }, (_, level) => golden(`mobilestylegan/noise_${level}`)).flatMap(
    ({ shape, data }) => {
      const size = shape.at(-1)!;
      return Array.from({ length: data.length / size ** 2 }, (_, i) => ({
        shape: [1, size, size, 1],
        data: data.slice(i * size ** 2, (i + 1) * size ** 2),
      }));
    },
  );
}

/** A golden gradient by a weight of the reference code: our name and layout of it. */
export function goldenGradient(
  prefix: string,
  { from, to }: Entry,
): { readonly name: string; readonly gradient: HostArray } {
  return { name: to!.name, gradient: layouts[to!.layout](golden(`${prefix}/${from}`)) };
}

/** Gradients of a scalar by some weights, the others fixed. */
export function gradients(
  loss: (params: Params) => tf.Scalar,
  params: Params,
  names: readonly string[],
): Record<string, tf.Tensor> {
  const values = names.map((name) => params[name]!);
  const slopes = tf.grads((...moved: tf.Tensor[]) =>
    loss({ ...params, ...Object.fromEntries(names.map((name, i) => [name, moved[i]!])) })
  )(values);
  return Object.fromEntries(names.map((name, i) => [name, slopes[i]!]));
}

/** The largest difference from golden discriminator logits, whose last layer cancels larger terms. */
export const logitTolerance = 5e-5;
/** The largest difference from golden gradients. */
export const gradientTolerance = 1e-4;
