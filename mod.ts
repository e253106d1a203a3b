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
  ListName,
  PartNamed,
  PartsOf,
  Registry,
  ResolvedPart,
} from "./core/registry.ts";
export { type Builtin, createRegistry } from "./registry.ts";

// Numbers and tensors.
export { durationText } from "./core/duration.ts";
export { createRandom, type GraphRandom, type Random } from "./core/random.ts";
export { leakyRelu } from "./layers/activation.ts";
export { haar, inverseHaar } from "./layers/haar.ts";

// The engine.
export * from "./engine/mod.ts";
export type { Attributes, Draw, DType, Op, Program, Value } from "./engine/program.ts";
export { buildNativeAddon, type NativeAddonOptions, removeNativeAddon } from "./io/native_addon.ts";

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
  studentConfig,
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
export { cost } from "./networks/cost_of.ts";
export { uncountedNote, uncountedParts } from "./networks/uncounted.ts";
export type { MappingConfig } from "./networks/mapping.ts";
export { type PrintedFigure, printedFigures } from "./metrics/cost.ts";

// Files of networks: ours, and other people's.
export {
  loadDiscriminator,
  loadGenerator,
  type LoadGeneratorOptions,
} from "./pipelines/load_generator.ts";
export { saveGenerator, type SaveGeneratorOptions } from "./pipelines/generator_file.ts";
export { saveFeatures } from "./pipelines/feature_file.ts";
export {
  readSafetensorsFile,
  type Safetensors,
  type SafetensorsOptions,
  writeSafetensorsFile,
} from "./io/safetensors.ts";
export {
  convert,
  type Converted,
  type ConvertedBase,
  type ConvertedFeatures,
  type ConvertedGenerator,
  type ConvertedStudent,
  type ConvertedTeacher,
  type ConvertKind,
  type ConvertOptions,
  type ConvertReport,
  type ConvertSource,
} from "./pipelines/convert.ts";

export {
  type ExportedOnnx,
  exportOnnx,
  type ExportOnnxOptions,
  type OnnxPort,
} from "./pipelines/export_onnx.ts";

// What runs.
export type * from "./pipelines/events.ts";
export {
  type ConfiguredDiscriminator,
  type ConfiguredFeatures,
  type ConfiguredLoss,
  type ConfiguredOptimiser,
  type ConfiguredPart,
  type ConfiguredStudent,
  type DistillConfig,
  type DistillInput,
  parseConfig,
  type Written,
  type WrittenConfig,
} from "./pipelines/distill_config.ts";
export { distill, type DistillContext } from "./pipelines/distill.ts";
export { ablate, type AblateContext } from "./pipelines/ablate.ts";
export {
  type AblateConfig,
  type AblateInput,
  parseAblateConfig,
  shortened,
} from "./pipelines/ablate_config.ts";
export type * from "./pipelines/ablate_events.ts";
export type { AblationJob, JobEvent, RunJob } from "./pipelines/ablate/jobs.ts";
export type { Counts, Quality, Times } from "./pipelines/ablate/measures.ts";
export {
  type AblationRow,
  type Spread,
  tableOf,
  type VariantSummary,
} from "./pipelines/ablate/table.ts";
export { type ListedParts, type Variant, variantGroups } from "./pipelines/ablate/variants.ts";
export { trainTeacher, type TrainTeacherContext } from "./pipelines/train_teacher.ts";
export {
  parseTeacherConfig,
  type TrainTeacherConfig,
  type TrainTeacherInput,
} from "./pipelines/train_teacher_config.ts";
export {
  evaluate,
  type EvaluateContext,
  type EvaluatedNetwork,
  type Evaluation,
  type EvaluationEvent,
  type Mark,
  type Measurement,
} from "./pipelines/evaluate.ts";
export {
  type EvaluateConfig,
  type EvaluateInput,
  type EvaluationFeatureChoice,
  parseEvaluateConfig,
} from "./pipelines/evaluate_config.ts";
export type { ImageRange } from "./io/onnx_network.ts";
export { presets, teacherPresets } from "./pipelines/presets.ts";
export { models } from "./pipelines/models.ts";
export { generateImages as generate, type GenerateOptions } from "./pipelines/generate_images.ts";

// Pictures and data.
export { imageGrid, type ImageGridOptions, writePicture } from "./io/png.ts";
export { type AvatarOptions, openAvatars } from "./data/avatars.ts";
export {
  type BadFile,
  type ImageFolder,
  type ImageFolderOptions,
  openImageFolder,
} from "./data/image_folder.ts";
export type { ImageSource } from "./data/image_source.ts";

// Charts, and showing things in notebooks.
export {
  type Chart,
  chart,
  type ChartColor,
  chartColor,
  type ChartOptions,
  type Panel,
  type PanelNote,
  prepareCharts,
  type Theme,
} from "./io/chart.ts";
export { type CurveEvent, type Point } from "./io/event_series.ts";
export { lossCurves, psnrCurve } from "./io/plot.ts";
export {
  type Notebook,
  setupNotebook,
  type SetupNotebookOptions,
  show,
  type Showable,
  type ShowOptions,
} from "./display/show.ts";
export type { Row } from "./display/table.ts";

// For authors of plugins.
export { testPlugin, type TestPluginOptions } from "./pipelines/test_plugin.ts";
export type { Engines } from "./pipelines/conformance/mod.ts";
export type { StandardSchemaV1 } from "@standard-schema/spec";
export { animatedGif, type AnimatedGifOptions } from "./io/gif.ts";
export { generateTensors } from "./pipelines/generate_tensors.ts";
export {
  type InterpolateOptions,
  interpolateStyles,
  type MixOptions,
  mixStyles,
} from "./pipelines/latent_tools.ts";
export { type Report, type ReportOptions, writeReport } from "./io/report.ts";
