import type { complete } from '../async.ts'
import type { begin, join } from '../invocation.ts'
import type { abortSignal, anySignal, isAbortSignal, newSignal, offAbort, onAbort } from '../web/abort.ts'
import type { assets } from '../web/assets.ts'
import type { bodyOfStream, streamOfContent, usedStream } from '../web/body-stream.ts'
import type { departureSignal, leave } from '../web/departure.ts'
import type { handleError, handleRejection } from '../web/global-events.ts'
import type { dropUntaken, expectBody, push } from '../web/incoming.ts'
import type { parseForm } from '../web/multipart.ts'
import type { flow } from '../web/outgoing.ts'
import type { copyMembers, readMembers } from '../web/request-members.ts'
import type * as parts from '../web/stream-parts.ts'
import type { isTransferableStream, transferStream } from '../web/stream-transfer.ts'
import type { verifyIntegrity } from '../web/subtle/integrity.ts'
import type { SubtleCrypto } from '../web/subtle/subtle.ts'
import type { table } from '../web/table.ts'
import type { isSearchParams } from '../web/url-search-params.ts'
import type * as blob from './blob.ts'
import type { FeatureName } from './names.ts'

/** What a feature does for the core and for features that must work without it. */
export interface FeatureHooks extends Record<FeatureName, object> {
  async: {
    readonly bodyOfStream: typeof bodyOfStream
    readonly begin: typeof begin
    readonly complete: typeof complete
    readonly departureSignal: typeof departureSignal
    readonly dropUntaken: typeof dropUntaken
    readonly expectBody: typeof expectBody
    readonly flow: typeof flow
    readonly join: typeof join
    readonly leave: typeof leave
    readonly push: typeof push
    readonly streamOfContent: typeof streamOfContent
    readonly usedStream: typeof usedStream
  }
  blob: {
    readonly contentOf: typeof blob.contentOf
    readonly isBody: typeof blob.isBody
    readonly parseForm: typeof parseForm
    readonly toBlob: typeof blob.toBlob
    readonly typeOf: typeof blob.typeOf
  }
  events: {
    readonly abortSignal: typeof abortSignal
    readonly anySignal: typeof anySignal
    readonly handleError: typeof handleError
    readonly handleRejection: typeof handleRejection
    readonly isAbortSignal: typeof isAbortSignal
    readonly newSignal: typeof newSignal
    readonly offAbort: typeof offAbort
    readonly onAbort: typeof onAbort
  }
  fetch: {
    readonly assets: typeof assets
    readonly copyMembers: typeof copyMembers
    readonly readMembers: typeof readMembers
  }
  streams: {
    readonly acquireReader: typeof parts.acquireReader
    readonly cancelReader: typeof parts.cancelReader
    readonly cancelStream: typeof parts.cancelStream
    readonly endBytes: typeof parts.endBytes
    readonly enqueueBytes: typeof parts.enqueueBytes
    readonly failBytes: typeof parts.failBytes
    readonly isDisturbed: typeof parts.isDisturbed
    readonly isReadableLocked: typeof parts.isReadableLocked
    readonly isReadableStream: typeof parts.isReadableStream
    readonly newByteStream: typeof parts.newByteStream
    readonly newDeferredStream: typeof parts.newDeferredStream
    readonly readFrom: typeof parts.readFrom
    readonly releaseReader: typeof parts.releaseReader
    readonly teeStream: typeof parts.teeStream
    readonly useUp: typeof parts.useUp
    readonly isTransferableStream: typeof isTransferableStream
    readonly transferStream: typeof transferStream
  }
  table: { readonly table: typeof table }
  subtle: { readonly subtle: SubtleCrypto; readonly verifyIntegrity: typeof verifyIntegrity }
  url: { readonly isSearchParams: typeof isSearchParams }
}
