import { complete, forgetCalls } from '../async.ts'
import { defineFeature } from '../feature.ts'
import { bodyOfStream, streamOfContent, usedStream } from '../web/body-stream.ts'
import { departureSignal, forgetDeparture, leave } from '../web/departure.ts'
import { dropUntaken, expectBody, push } from '../web/incoming.ts'
import { flow } from '../web/outgoing.ts'

/** A request begins: nothing of an earlier one is left. */
function begin(): void {
  forgetCalls()
  forgetDeparture()
}

defineFeature('async', {
  globals: {},
  hooks: {
    bodyOfStream,
    begin,
    complete,
    departureSignal,
    dropUntaken,
    expectBody,
    flow,
    leave,
    push,
    streamOfContent,
    usedStream,
  },
})
