/** Why a step ended without the guest's say; null while all is well. */
export type Failure =
  | 'cpu'
  | 'memory'
  | 'stack'
  | 'engine'
  | 'host-calls'
  | 'subrequests'
  | 'cancelled'
  | null

/** Limits of what runs in an instance, from the function's configuration. */
export interface InstanceLimits {
  readonly cpuMs: number
  readonly hostCalls: number
  /** Heap size above which the collector may run during a request, at the price of a pause. */
  readonly gcHardBytes: number
  /** Size that the linear memory may grow to, where that is less than the instance's own maximum. */
  readonly memoryBytes?: number
}
