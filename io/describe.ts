/**
 * How foreign text and values appear in error messages: short, quoted and unable to steer a
 * terminal.
 *
 * @module
 */

const MAX_LENGTH = 80;

// C1 controls, line separators and bidirectional marks: JSON leaves them as they are.
const UNSAFE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function escape(json: string): string {
  return json.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The text in double quotes, escaped and cut to 80 characters. */
export function quote(text: string): string {
  return escape(JSON.stringify(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text));
}

/** A JSON value as text, cut to 80 characters; `nothing` if there is none. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return String(value);
  let json: string;
  try {
    json = escape(JSON.stringify(value) ?? String(value));
  } catch { // nested too deeply, or no JSON at all
    return `a value of type ${typeof value}`;
  }
  return json.length > MAX_LENGTH ? `${json.slice(0, MAX_LENGTH)}…` : json;
}

/** What an error says, without its class and stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
