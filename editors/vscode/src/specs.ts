/** Tell which documents may be specs, so that nobody pays for a server who writes none. */

/** The languages of the documents that the server is given. */
export const LANGUAGES = ["mimgraph", "yaml", "json"] as const;

const YAML_KEYS = [/^["']?inputs["']?[ \t]*:/m, /^["']?nodes["']?[ \t]*:/m];
const JSON_KEYS = [/"inputs"\s*:/, /"nodes"\s*:/];

/**
 * Return whether a document looks like a spec; then the server is started.
 *
 * The server decides for itself which documents it speaks of: this may be wrong in either
 * direction and costs a process, or a command, at most.
 */
export function looksLikeSpec(languageId: string, text: string): boolean {
  switch (languageId) {
    case "mimgraph":
      return true;
    case "yaml":
      return YAML_KEYS.every((key) => key.test(text)) || JSON_KEYS.every((key) => key.test(text));
    case "json":
      return JSON_KEYS.every((key) => key.test(text));
    default:
      return false;
  }
}
