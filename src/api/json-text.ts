/**
 * A caller's text is stored as JSON. JSON preserves NUL, which PostgreSQL rejects, and lone surrogates, which SQLite would
 * change.
 */
export const toJsonText = (text: string): string => JSON.stringify(text)
export const fromJsonText = (json: string): string => JSON.parse(json)

/** The same for an optional text. */
export const toJson = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))
export const fromJson = <T>(json: string | null): T | undefined => (json === null ? undefined : JSON.parse(json))
