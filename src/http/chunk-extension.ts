import { HTAB, QUOTED_TEXT, SP, TOKEN } from './chars.ts'

const SEMICOLON = 0x3b
const EQUALS = 0x3d
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Where in `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 7.1.1) the next byte stands. */
export const EXTENSION = {
  /** Not a place: the byte did not fit. */
  bad: 0,
  beforeSemicolon: 1,
  beforeName: 2,
  name: 3,
  afterName: 4,
  beforeValue: 5,
  value: 6,
  quoted: 7,
  quotedPair: 8,
  afterQuoted: 9,
} as const

/** The place after `byte`, which is neither CR nor LF, or `EXTENSION.bad`. */
export function extensionStep(place: number, byte: number): number {
  const space = byte === SP || byte === HTAB
  switch (place) {
    case EXTENSION.beforeSemicolon:
      if (byte === SEMICOLON) return EXTENSION.beforeName
      return space ? place : EXTENSION.bad
    case EXTENSION.beforeName:
      if (TOKEN[byte] === 1) return EXTENSION.name
      return space ? place : EXTENSION.bad
    case EXTENSION.name:
      if (TOKEN[byte] === 1) return place
      return extensionStep(EXTENSION.afterName, byte)
    case EXTENSION.afterName:
      if (byte === SEMICOLON) return EXTENSION.beforeName
      if (byte === EQUALS) return EXTENSION.beforeValue
      return space ? EXTENSION.afterName : EXTENSION.bad
    case EXTENSION.beforeValue:
      if (TOKEN[byte] === 1) return EXTENSION.value
      if (byte === QUOTE) return EXTENSION.quoted
      return space ? place : EXTENSION.bad
    case EXTENSION.value:
      if (TOKEN[byte] === 1) return place
      return extensionStep(EXTENSION.beforeSemicolon, byte)
    case EXTENSION.quoted:
      if (QUOTED_TEXT[byte] === 1) return place
      if (byte === QUOTE) return EXTENSION.afterQuoted
      return byte === BACKSLASH ? EXTENSION.quotedPair : EXTENSION.bad
    case EXTENSION.quotedPair:
      return QUOTED_TEXT[byte] === 1 || byte === QUOTE || byte === BACKSLASH
        ? EXTENSION.quoted
        : EXTENSION.bad
    default:
      return extensionStep(EXTENSION.beforeSemicolon, byte)
  }
}

/** Whether the line may end here. Whitespace after the last extension belongs to nothing, so it may not. */
export function extensionMayEnd(place: number): boolean {
  return place === EXTENSION.name || place === EXTENSION.value || place === EXTENSION.afterQuoted
}
