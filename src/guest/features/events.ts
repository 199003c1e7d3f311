import { defineFeature } from '../feature.ts'
import {
  AbortController,
  AbortSignal,
  abortSignal,
  anySignal,
  isAbortSignal,
  newSignal,
  offAbort,
  onAbort,
} from '../web/abort.ts'
import { CustomEvent, ErrorEvent, PromiseRejectionEvent } from '../web/custom-event.ts'
import { Event } from '../web/event.ts'
import { EventTarget } from '../web/event-target.ts'
import { adoptGlobals, handleError, handleRejection, reportError } from '../web/global-events.ts'

const { addEventListener, dispatchEvent, removeEventListener } = EventTarget.prototype

adoptGlobals()
defineFeature('events', {
  globals: {
    AbortController,
    AbortSignal,
    CustomEvent,
    ErrorEvent,
    Event,
    EventTarget,
    PromiseRejectionEvent,
    addEventListener,
    dispatchEvent,
    removeEventListener,
    reportError,
  },
  hooks: {
    abortSignal,
    anySignal,
    handleError,
    handleRejection,
    isAbortSignal,
    newSignal,
    offAbort,
    onAbort,
  },
})
