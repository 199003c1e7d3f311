// The guest's side of the border in sight of user code, to test what nothing of its API shows: source for the end of the feature `async`.
import { cancelCall, hostAsync, lastCallId } from '../../src/guest/async.ts'

Object.assign(globalThis, { probe: { hostAsync, cancelCall, lastCallId } })
