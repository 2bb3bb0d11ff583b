/** Names become keys and resource names; some of those ignore case, so names may not differ in case alone. */
export function namesDifferingInCase(path: string, names: readonly string[]): readonly string[] {
  const firstOf = new Map<string, string>();
  const findings: string[] = [];
  for (const name of names) {
    const first = firstOf.get(name.toLowerCase());
    if (first === undefined) {
      firstOf.set(name.toLowerCase(), name);
    } else {
      findings.push(
        first === name
          ? `${path} has '${name}' twice`
          : `${path} has '${first}' and '${name}', which differ only in case`,
      );
    }
  }
  return findings;
}
