export { defaultConfig, type FunctionLimits, functionLimits } from './defaults.ts'
export type { Config, ConfigInput, FunctionConfig } from './schema.ts'
