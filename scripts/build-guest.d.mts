/** JSON text: `{ core: string, features: string[] }`. `more`: by a feature's name, source for the end of its script. */
export function buildGuest(more?: Readonly<Record<string, string>>): Promise<string>
