import { quote } from "../describe.ts";

/** The last line of what a program wrote, in quotes: where most programs say why they failed. */
export function lastLine(text = ""): string {
  return quote(text.trimEnd().split("\n").at(-1)?.trim() || "nothing");
}
