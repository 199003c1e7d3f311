// Who serves a path: of all routes, of functions and of files, the most specific one. Where a function and files have the same
// route, the files come first, and the function gets what is no file.

interface Routed {
  readonly name: string
  readonly routes: readonly string[]
}

/** For the router: functions first, then static routes, and for each of those the function that has its route too, -1 for none. */
export function mergeRoutes(
  functions: readonly Routed[],
  statics: readonly { readonly route: string }[],
): { routes: Routed[]; behind: number[] } {
  const taken = new Set(statics.map(({ route }) => route))
  const ofFunctions = functions.map(({ name, routes }) => ({
    name,
    routes: routes.filter((route) => !taken.has(route)),
  }))
  const ofFiles = statics.map(({ route }) => ({ name: `static ${route}`, routes: [route] }))
  const behind = statics.map(({ route }) => functions.findIndex(({ routes }) => routes.includes(route)))
  return { routes: [...ofFunctions, ...ofFiles], behind }
}
