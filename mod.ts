/**
 * Haarlem distils a StyleGAN2 teacher into a MobileStyleGAN student. This module is the only door:
 * command line, notebooks, plugins and other programs import it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

export { tf };

// Parts: what they are, how they are made, where they are registered.
export type * from "./core/contracts.ts";
export * from "./core/define.ts";
export type {
  AnyPart,
  ChoiceOf,
  JsonSchema,
  Listed,
  PartsOf,
  Registry,
  ResolvedPart,
} from "./core/registry.ts";
export { type Builtin, createRegistry } from "./registry.ts";

// Numbers and tensors.
export { createRandom, type GraphRandom, type Random } from "./core/random.ts";
export { leakyRelu } from "./layers/activation.ts";
export { haar, inverseHaar } from "./layers/haar.ts";

// The engine.
export * from "./engine/mod.ts";

// Networks and what they cost.
export {
  channelsOf,
  type DiscriminatorConfig,
  type StudentConfig,
  type TeacherConfig,
} from "./networks/config.ts";
export {
  createStudent,
  createTeacher,
  type Discriminator,
  type Generator,
  type Student,
  type StudentParts,
  type Teacher,
} from "./networks/generator.ts";
export {
  type Cost,
  discriminatorCost,
  inferenceCost,
  type LayerCost,
  mappingCost,
  type NetworkCost,
  studentCost,
  teacherCost,
} from "./networks/cost.ts";
export type { MappingConfig } from "./networks/mapping.ts";
export { type PrintedFigure, printedFigures } from "./metrics/cost.ts";

// Other people's weights.
export * from "./pipelines/convert.ts";
