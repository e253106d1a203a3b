/**
 * Events of a training run as text.
 *
 * @module
 */
import { durationText } from "../core/duration.ts";
import type {
  EndEvent,
  SampleEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
} from "../pipelines/events.ts";

const short = (value: number | string) =>
  typeof value === "number" && !Number.isInteger(value)
    ? String(Number(value.toPrecision(4)))
    : String(value);

/** `psnrDb 21.3, meanImagePsnrDb 15.02` */
export function figuresText(values: Readonly<Record<string, number | string>>): string {
  return Object.entries(values).map(([name, value]) => `${name} ${short(value)}`).join(", ");
}

/** `runs/mine: steps 0 to 400; onnxruntime 1.30` */
export function startText({ run, step, steps, notes }: StartEvent): string {
  return [`${run}: steps ${step} to ${steps}`, ...notes].join("; ");
}

/** `step 120/400, 31.2 images/s, 1 min 20 s left` */
export function stepText({ step, steps, imagesPerSecond, etaSeconds }: StepEvent): string {
  return `step ${step}/${steps}, ${imagesPerSecond.toPrecision(3)} images/s, ${
    durationText(etaSeconds)
  } left`;
}

/** `sample runs/mine/samples/a.png: psnrDb 21.3` */
export function sampleText({ path, measures }: SampleEvent): string {
  const figures = figuresText(measures);
  return `sample ${path}${figures ? `: ${figures}` : ""}`;
}

/** `finished at step 400 of 400: psnrDb 21.3; wrote runs/mine/student.safetensors` */
export function endText({ finished, step, path, summary }: EndEvent<unknown>): string {
  const figures = figuresText(summary);
  return `${finished ? "finished" : "stopped"} at step ${step}${
    figures ? `: ${figures}` : ""
  }; wrote ${path}`;
}

/** A line for an event; none for a checkpoint, of which `end` says enough. */
export function eventText(event: TrainingEvent<unknown>): string | undefined {
  switch (event.kind) {
    case "start":
      return startText(event);
    case "step":
      return `${stepText(event)}, ${figuresText(event.losses)}`;
    case "sample":
      return sampleText(event);
    case "end":
      return endText(event);
  }
}
