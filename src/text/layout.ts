// What is in the file of index tables, for the build that writes it and the program that reads it.

/** The encodings of one byte a character, 128 entries each: for the bytes from 0x80. */
export const SINGLE_BYTE = [
  'ibm866',
  'iso-8859-2',
  'iso-8859-3',
  'iso-8859-4',
  'iso-8859-5',
  'iso-8859-6',
  'iso-8859-7',
  'iso-8859-8',
  'iso-8859-8-i',
  'iso-8859-10',
  'iso-8859-13',
  'iso-8859-14',
  'iso-8859-15',
  'iso-8859-16',
  'koi8-r',
  'koi8-u',
  'macintosh',
  'windows-874',
  'windows-1250',
  'windows-1251',
  'windows-1252',
  'windows-1253',
  'windows-1254',
  'windows-1255',
  'windows-1256',
  'windows-1257',
  'windows-1258',
  'x-mac-cyrillic',
  'x-user-defined',
] as const

/** Pointers of four bytes that stand for the Basic Multilingual Plane (Encoding, index gb18030 ranges). */
export const GB18030_BMP_POINTERS = 39_420

/** Tables by the standard's pointers. Those of big5 and jis0208 have a little more than the index of that name. */
const MULTI_BYTE = {
  /** Also shift_jis's own pointers from 8836, which are private characters. */
  jis0208: 60 * 188,
  jis0212: 94 * 94,
  'euc-kr': 126 * 190,
  gb18030: 126 * 190,
  'gb18030-bmp': GB18030_BMP_POINTERS,
  big5: 126 * 157,
  /** The second unit of characters that need two. */
  'big5-second': 126 * 157,
} as const

export type SingleByteName = (typeof SINGLE_BYTE)[number]
export type TableName = SingleByteName | keyof typeof MULTI_BYTE

export const LAYOUT: readonly (readonly [name: TableName, units: number])[] = [
  ...SINGLE_BYTE.map((name) => [name, 128] as const),
  ...(Object.entries(MULTI_BYTE) as [keyof typeof MULTI_BYTE, number][]),
]
