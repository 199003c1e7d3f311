/** Platform objects that structuredClone copies (HTML, "serializable objects"). They never change, so a copy shares what they hold. */
interface Serializable {
  is(value: object): boolean
  /** A new object of the same interface with the same content. */
  copy(value: object): object
}

const kinds: Serializable[] = []

/**
 * Called by the feature whose interface it is.
 * @public
 */
export function registerSerializable(kind: Serializable): void {
  kinds[kinds.length] = kind
}

export function serializableOf(value: object): Serializable | undefined {
  for (let i = 0; i < kinds.length; i++) if (kinds[i]!.is(value)) return kinds[i]
  return undefined
}
