/**
 * Stands in for `@std/cli` where JSR cannot be reached. See README.md beside this file.
 *
 * @module
 */
export * from "./parse_args.ts";
