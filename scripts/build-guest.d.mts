/** JSON text: `{ core: string, features: string[] }`. `more`: source for the end of the core. */
export function buildGuest(more?: string): Promise<string>
