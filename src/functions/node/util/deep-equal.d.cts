export function isDeepStrictEqual(left: unknown, right: unknown): boolean
