/**
 * Whom an evaluation is about: a student, its teacher, real images.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { isRemote, withDownload } from "../../io/download.ts";
import type { PartSource } from "../../core/contracts.ts";
import { openAvatars } from "../../data/avatars.ts";
import { openImageFolder } from "../../data/image_folder.ts";
import type { ImageSource } from "../../data/image_source.ts";
import type { Engine } from "../../engine/mod.ts";
import type { Generator, Student, Teacher } from "../../networks/generator.ts";
import type { EvaluateConfig } from "../evaluate_config.ts";
import { loadGenerator, loadTeacher } from "../load_generator.ts";
import { addressOf } from "../models.ts";
import { openGenerator, type RunningGenerator } from "../run_generator.ts";
import { checksumOf } from "../run_metadata.ts";
import { readTrainingRecord, type TrainingRecord } from "../training_record.ts";

/** A generator that is evaluated. */
export interface RunningSubject<G extends Generator = Generator> {
  readonly generator: G;
  readonly checksum: string;
  readonly running: RunningGenerator;
  /** Where it came from, if from a file. */
  readonly file?: string | undefined;
  /** What its file says of its training. */
  readonly training?: TrainingRecord | undefined;
}

/** Whom an evaluation is about. */
export interface Subjects {
  readonly student: RunningSubject<Student> | undefined;
  readonly teacher: RunningSubject<Teacher> | undefined;
  readonly real: ImageSource | undefined;
  dispose(): Promise<void>;
}

/** Networks and images at hand; what is absent is loaded as the configuration says. */
export interface GivenSubjects {
  readonly student?: Student | undefined;
  readonly teacher?: Teacher | undefined;
  readonly real?: ImageSource | undefined;
}

/**
 * Loads whom an evaluation is about.
 *
 * @throws {RangeError} If there is no generator, there are two teachers, or sizes differ.
 */
export async function openSubjects(
  config: EvaluateConfig,
  { given, engine, registry }: {
    readonly given: GivenSubjects;
    readonly engine: Engine;
    readonly registry: PartSource;
  },
): Promise<Subjects> {
  const loaded = config.weights === undefined || given.student
    ? undefined
    : await loadGenerator(config.weights, { registry, which: "student" });
  const teacherFile = config.teacher ?? (loaded?.kind === "teacher" ? config.weights : undefined);
  if (loaded?.kind === "teacher" && (config.teacher !== undefined || given.teacher)) {
    throw new RangeError(
      `Cannot evaluate "${config.weights}" against a teacher: expected a student but received a teacher; give it as the teacher alone`,
    );
  }
  const student = given.student ?? (loaded?.kind === "student" ? loaded : undefined);
  const teacher = given.teacher ??
    (loaded?.kind === "teacher"
      ? loaded
      : config.teacher === undefined
      ? undefined
      : await loadTeacher(config.teacher, { registry }));
  const first = student ?? teacher;
  if (!first) {
    throw new RangeError(
      "Cannot evaluate: expected a student or a teacher but received none; give --weights FILE or --teacher FILE",
    );
  }
  if (student && teacher) refuseOthersTeacher(student, teacher);
  const { sizePx } = first.config;
  const real = given.real ?? await openReal(config.real, sizePx);
  if (real && real.sizePx !== sizePx) {
    throw new RangeError(
      `Cannot evaluate against "${real.name}": expected images of ${sizePx} px but received ${real.sizePx} px`,
    );
  }
  const runs: RunningGenerator[] = [];
  const run = <G extends Generator>(generator: G, file?: string): RunningSubject<G> => {
    const running = openGenerator(generator, engine);
    runs.push(running);
    return { generator, checksum: checksumOf(generator.weights), running, file };
  };
  const studentFile = given.student ? undefined : config.weights;
  return {
    student: student && {
      ...run(student, studentFile),
      training: studentFile === undefined ? undefined : await trainingOf(studentFile),
    },
    teacher: teacher && run(teacher, given.teacher ? undefined : teacherFile),
    real,
    dispose: async () => {
      for (const each of runs) await each.dispose();
    },
  };
}

function refuseOthersTeacher(student: Student, teacher: Teacher): void {
  const [own, other] = [student.config, teacher.config];
  for (const field of ["sizePx", "styleDim"] as const) {
    if (own[field] !== other[field]) {
      throw new RangeError(
        `Cannot evaluate a student against this teacher: expected "${field}" ${
          own[field]
        } but received ${other[field]}`,
      );
    }
  }
}

/** A sentence if the student has not the teacher's mapping network, so was distilled from another. */
export function foreignTeacherNote({ student, teacher }: Subjects): string | undefined {
  if (!student || !teacher) return undefined;
  const [own, other] = [student.generator.weights, teacher.generator.weights];
  const differs = Object.keys(other).some((name) => {
    if (!/^mapping\.\d/.test(name)) return false;
    const [a, b] = [own[name]?.data, other[name]!.data];
    const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // A file of 16-bit numbers rounds by 1/2048.
    return !a || a.length !== b.length ||
      b.some((value, i) => Math.abs(value - a[i]!) > scale / 500);
  });
  return differs
    ? "the student's mapping network is not this teacher's: it was distilled from another one, or from another state of it"
    : undefined;
}

async function trainingOf(file: string): Promise<TrainingRecord | undefined> {
  const address = addressOf(file, "student");
  if (isRemote(address)) return await withDownload(address, readTrainingRecord);
  return await readTrainingRecord(
    address.startsWith("file:") ? fileURLToPath(address) : address,
  );
}

async function openReal(
  real: string | undefined,
  sizePx: number,
): Promise<ImageSource | undefined> {
  if (real === undefined) return undefined;
  return real === "avatars"
    ? await openAvatars({ sizePx })
    : await openImageFolder({ folder: real, sizePx });
}
