/** What plugins must do without, by Deno's name of the permission. */
const WORDS: Readonly<Record<string, string>> = {
  net: "use the network",
  run: "start programs",
  ffi: "open native libraries",
};

/** What Deno says when a permission is missing, without the flag that would not help here. */
const DENIED = /Requires (net|run|ffi) access[^\n]*?(?=, run again with the --allow-)/;

/** What a plugin did that it may not, if that is what an error says. */
export function refusalOf(
  message: string,
): { readonly deed: string; readonly access: string } | undefined {
  const [access, name] = DENIED.exec(message) ?? [];
  return access === undefined ? undefined : { deed: WORDS[name!]!, access };
}
