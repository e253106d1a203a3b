/**
 * Evaluates generators: how good images are, how near a student is to its teacher, what it costs.
 *
 * @module
 */
import type { AnyMetric, HostArray, PartSource } from "../core/contracts.ts";
import { type RowProducts } from "../core/feature_stream.ts";
import { defaultCacheDir } from "../data/pixel_cache.ts";
import type { ImageSource } from "../data/image_source.ts";
import type { Engine } from "../engine/mod.ts";
import { type ArrayCache, openArrayCache } from "../io/array_cache.ts";
import { openReportFolder, type ReportFolder } from "../io/report_folder.ts";
import type { Student, Teacher } from "../networks/generator.ts";
import { teacherCost } from "../networks/cost.ts";
import { type Comparison, comparisonsOf, setsOf } from "./evaluate/comparisons.ts";
import { createDetailSums, type Detail } from "./evaluate/detail.ts";
