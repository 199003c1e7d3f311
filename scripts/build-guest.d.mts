/** JSON text: `{ core: string, features: string[] }`. */
export function buildGuest(): Promise<string>
