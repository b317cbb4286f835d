/** The numbers of a server's /metrics, by name; those with labels are summed up. */
export async function readMetrics(adminUrl: string): Promise<Map<string, number>> {
  const response = await fetch(`${adminUrl}/metrics`)
  if (!response.ok) throw new Error(`${adminUrl}/metrics was answered with ${response.status}`)
  const sums = new Map<string, number>()
  for (const line of (await response.text()).split('\n')) {
    const [, name, value] = /^(\w+)(?:\{.*\})? (\S+)$/.exec(line) ?? []
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + Number(value))
  }
  return sums
}
