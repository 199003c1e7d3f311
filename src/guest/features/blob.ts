import { defineFeature } from '../feature.ts'
import { Blob, bytesOf, copyOf, File, isBlob, withBytes } from '../web/blob.ts'
import { FormData, isFormData } from '../web/form-data.ts'
import { serializedType } from '../web/mime-type.ts'
import { formType, parseForm, serializeForm } from '../web/multipart.ts'

/** Whether a body given to a Request or Response is one of these. */
export function isBody(init: object): init is Blob | FormData {
  return isBlob(init) || isFormData(init)
}

/** Fetch, "extract a body": its bytes, in a buffer of their own. */
export function contentOf(init: Blob | FormData): ArrayBuffer {
  return isBlob(init) ? copyOf(bytesOf(init)) : serializeForm(init)
}

/** The same: its type, undefined for none. */
export function typeOf(init: Blob | FormData): string | undefined {
  return isBlob(init) ? init.type || undefined : formType(init)
}

/** Fetch, "blob()". `bytes`: taken over; `type`: of the Content-Type field. */
export function toBlob(bytes: ArrayBuffer, type: string | null): Blob {
  return withBytes(new Uint8Array(bytes), type === null ? '' : serializedType(type))
}

defineFeature('blob', {
  globals: { Blob, File, FormData },
  hooks: { contentOf, isBody, parseForm, toBlob, typeOf },
})
