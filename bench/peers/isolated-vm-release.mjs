/** The package (an alias in bench/package.json) with the release of isolated-vm for this version of Node.js. */
export function moduleOf(version) {
  const major = Number(version.split('.')[0])
  if (major >= 24) return 'isolated-vm-node24'
  return major >= 22 ? 'isolated-vm-node22' : 'isolated-vm-node20'
}
