/**
 * Trains a StyleGAN2 teacher.
 *
 * @module
 */
import type { PartSource } from "../core/contracts.ts";
import type { ImageSource } from "../data/image_source.ts";
import { disposeArrays, type Engine, engineScope } from "../engine/mod.ts";
import { openRun } from "../io/run_folder.ts";
import type { Teacher } from "../networks/generator.ts";
import type { TrainingEvent } from "./events.ts";
import { openImages } from "./real_batches.ts";
import { comparableRecord, environmentOf } from "./run_metadata.ts";
import { trainNetworks } from "./teacher_loop.ts";
import { openTeacherSession } from "./teacher_session.ts";
import { parseTeacherConfig, type TrainTeacherInput } from "./train_teacher_config.ts";

/** What the training needs besides its configuration. */
export interface TrainTeacherContext {
  /** Computes the steps. */
  readonly engine: Engine;
  /** Where parts and losses are looked up. */
  readonly registry: PartSource;
  /** The real images; else the configuration's `data` names them. */
  readonly images?: ImageSource | undefined;
  /** Folder of the run; `runs/<name>` by default. An existing run goes on. */
  readonly out?: string | undefined;
  /** Start over in an existing folder. */
  readonly restart?: boolean | undefined;
  /** Ends the run with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Trains a teacher; yields events, prints nothing, and goes on where the run's last checkpoint is.
 *
 * The generator's step and the discriminator's alternate; the discriminator is shown the images that
 * the generator's step made. Lazy terms are added to the main term of their step. With `accumulate`,
 * gradients of micro-batches are added first; see `micro_batches.ts` for the terms that look across
 * images.
 *
 * Source: Karras et al., CVPR 2020 (StyleGAN2); schedule of the R1 weight and of the average as in
 * Karras et al., NeurIPS 2020 (ADA).
 *
 * @throws {Error} If a loss is no longer a number; the last checkpoint stands.
 */
export async function* trainTeacher(
  input: TrainTeacherInput,
  context: TrainTeacherContext,
): AsyncGenerator<TrainingEvent<Teacher>> {
  const { registry, signal, restart = false } = context;
  await using engine = engineScope(context.engine); // which is used for the next run, too
  const config = parseTeacherConfig(input, registry);
  const images = context.images ?? await openImages(config);
  const record = { ...config, environment: environmentOf(engine) };
  using run = await openRun(context.out ?? `runs/${config.name}`, record, {
    restart,
    comparable: (config) => comparableRecord(config, "kimg"),
  });
  const session = openTeacherSession({ config, images, run, engine, registry });
  using left = new DisposableStack();
  left.defer(() => disposeArrays(session.state));
  yield* trainNetworks(session, signal);
}
